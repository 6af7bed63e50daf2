// What a reader would complain of on a page: panels that fail or overlap, texts that are cut off or lie over each other.
() => {
  const faults = [];
  const panels = [...document.querySelectorAll('[data-panel]')];
  const name = (panel) => `panel ${panel.dataset.panel}`;
  const cross = (a, b, more) =>
    a.left < b.right - more && b.left < a.right - more && a.top < b.bottom - more && b.top < a.bottom - more;
  const boxes = panels.map((panel) => panel.getBoundingClientRect());
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
    if (cross(a, b, 1)) faults.push(`${name(panels[i])} overlaps ${name(panels[i + 1 + j])}`);
  }));
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) faults.push(`the page is ${root.scrollWidth} px wide, the window ${root.clientWidth}`);

  const scrolls = (e) => e.getAttribute('role') === 'grid' || e.hasAttribute('data-alerts');
  const drawnBox = (e) => {
    const range = document.createRange();
    range.selectNodeContents(e);
    return range.getBoundingClientRect();
  };
  // The part of a text that is seen; what a list or a table scrolls to does not count as cut off.
  const cut = (e, box, panel) => {
    let rolled = false;
    for (let around = e; around !== panel.parentElement; around = around.parentElement) {
      rolled ||= scrolls(around);
      const style = getComputedStyle(around);
      const edge = around.getBoundingClientRect();
      if (style.overflowX !== 'visible' && (box.left < edge.left - 1 || box.right > edge.right + 1)) return true;
      if (!rolled && style.overflowY !== 'visible' && (box.top < edge.top - 2 || box.bottom > edge.bottom + 2)) return true;
    }
    return false;
  };
  for (const panel of panels) {
    if (panel.dataset.error) faults.push(`${name(panel)}: ${panel.dataset.error}`);
    if (panel.querySelector('[data-failed]')) faults.push(`${name(panel)}: ${panel.querySelector('[data-failed]').textContent}`);
    const whole = panel.getBoundingClientRect();
    const texts = [];
    for (const e of panel.querySelectorAll('*')) {
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      const own = [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
      if (own && box.width > 1 && box.height > 1 && style.visibility !== 'hidden' && style.opacity !== '0') {
        const text = e.textContent.trim();
        const drawn = drawnBox(e);
        if (cut(e, drawn, panel)) faults.push(`${name(panel)} cuts off "${text}"`);
        else if (drawn.right > whole.right + 1 || drawn.left < whole.left - 1) faults.push(`${name(panel)}: "${text}" leaves it`);
        if (!e.closest('[role=grid], [data-alerts]')) texts.push({ e, text, drawn });
      }
      if (/auto|scroll/.test(style.overflowY) && e.clientHeight > 0 && !scrolls(e) && e.scrollHeight > e.clientHeight + 4) {
        faults.push(`${name(panel)} shows ${e.clientHeight} of ${e.scrollHeight} px`);
      }
      if (/auto|scroll/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 4) faults.push(`${name(panel)} shows ${e.clientWidth} of ${e.scrollWidth} px across`);
    }
    texts.forEach((a, i) => texts.slice(i + 1).forEach((b) => {
      if (!a.e.contains(b.e) && !b.e.contains(a.e) && cross(a.drawn, b.drawn, 3)) faults.push(`${name(panel)} writes "${b.text}" over "${a.text}"`);
    }));
  }
  return [...new Set(faults)];
}
