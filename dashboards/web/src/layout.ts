/** Where each panel stands: 24 columns, rows of 30 pixels, gaps of 8; one below the other where the window is narrow. */
import type { GridPos, PanelModel } from './types';

const COLUMNS = 24;
const ROW = 30;
const GAP = 8;
const NARROW = 768;

export interface Placed {
  panel: PanelModel;
  place: GridPos;
}

export function layOut(panels: PanelModel[], width: number): Placed[] {
  const ordered = [...panels].sort((a, b) => a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x);
  if (width >= NARROW) {
    return ordered.map((panel) => ({ panel, place: panel.gridPos }));
  }
  let y = 0;
  return ordered.map((panel) => {
    const place = { x: 0, y, w: COLUMNS, h: panel.gridPos.h };
    y += place.h;
    return { panel, place };
  });
}

export function pixels(g: GridPos, width: number) {
  const column = (width - GAP * (COLUMNS - 1)) / COLUMNS;
  return {
    left: Math.round(g.x * (column + GAP)),
    top: g.y * (ROW + GAP),
    width: Math.round(g.w * (column + GAP) - GAP),
    height: g.h * (ROW + GAP) - GAP,
  };
}

export const gridHeight = (placed: Placed[]) =>
  Math.max(0, ...placed.map(({ place }) => (place.y + place.h) * (ROW + GAP) - GAP));
