// What a reader would complain of on a page: panels that fail or overlap, texts and legends that are cut off.
() => {
  const faults = [];
  const panels = [...document.querySelectorAll('[data-panel]')];
  const name = (panel) => `panel ${panel.dataset.panel}`;
  const boxes = panels.map((panel) => panel.getBoundingClientRect());
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) {
      faults.push(`${name(panels[i])} overlaps ${name(panels[i + 1 + j])}`);
    }
  }));
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth + 1) faults.push(`the page is ${root.scrollWidth} px wide, the window ${root.clientWidth}`);
  for (const panel of panels) {
    if (panel.dataset.error) faults.push(`${name(panel)}: ${panel.dataset.error}`);
    if (panel.querySelector('[data-failed]')) faults.push(`${name(panel)}: ${panel.querySelector('[data-failed]').textContent}`);
    const whole = panel.getBoundingClientRect();
    for (const e of panel.querySelectorAll('*')) {
      const style = getComputedStyle(e);
      const text = e.children.length === 0 ? e.textContent.trim() : '';
      if (text && style.textOverflow === 'ellipsis' && e.scrollWidth > e.clientWidth + 1) faults.push(`${name(panel)} cuts off "${text}"`);
      const scrolls = /auto|scroll/.test(style.overflowY) && e.clientHeight > 0;
      if (scrolls && e.getAttribute('role') !== 'grid' && !e.hasAttribute('data-alerts') && e.scrollHeight > e.clientHeight + 4) {
        faults.push(`${name(panel)} shows ${e.clientHeight} of ${e.scrollHeight} px`);
      }
      if (/auto|scroll/.test(style.overflowX) && e.scrollWidth > e.clientWidth + 4) faults.push(`${name(panel)} shows ${e.clientWidth} of ${e.scrollWidth} px across`);
      const box = e.getBoundingClientRect();
      if (text && box.width && style.visibility !== 'hidden' && (box.right > whole.right + 1 || box.left < whole.left - 1)) {
        faults.push(`${name(panel)}: "${text}" leaves it`);
      }
    }
  }
  return [...new Set(faults)];
}
