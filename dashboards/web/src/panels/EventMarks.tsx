/** Events across a chart: a dashed line each, and a mark below it that says what happened. */
import { Tooltip, useTheme2, type UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import type uPlot from 'uplot';

import { minute } from '../time';
import type { ParkEvent } from '../types';
import type { Language } from '../words';

interface Props {
  config: UPlotConfigBuilder;
  events: ParkEvent[];
  timeZone: string;
  language: Language;
}

/** Grafana's own room above a chart; on its right, half an instant with its day, which may be written below its end. */
const TOP = 8;
const HALF_A_LABEL = 36;

export function EventMarks({ config, events, timeZone, language }: Props) {
  const theme = useTheme2();
  const color = theme.colors.text.secondary;
  const [plot, setPlot] = useState<uPlot>();
  const shown = useRef(events);
  shown.current = events;

  useLayoutEffect(() => {
    config.setPadding([TOP, HALF_A_LABEL, 0, 0]);
    config.addHook('ready', (u: uPlot) => setPlot(u));
    config.addHook('draw', (u: uPlot) => {
      const { ctx, bbox } = u;
      ctx.save();
      ctx.beginPath();
      ctx.strokeStyle = color;
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      for (const { time } of shown.current) {
        const x = Math.round(u.valToPos(time, 'x', true));
        if (x >= bbox.left && x <= bbox.left + bbox.width) {
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
        }
      }
      ctx.stroke();
      ctx.restore();
    });
  }, [config, color]);

  useLayoutEffect(() => {
    plot?.redraw(false, false);
  }, [plot, events]);

  if (!plot) return null;
  const width = plot.over.clientWidth;
  const marks = events.map((event) => ({ event, x: plot.valToPos(event.time, 'x') })).filter(({ x }) => x >= 0 && x <= width);
  return createPortal(
    marks.map(({ event, x }, i) => (
      <Tooltip key={i} content={`${minute(event.time, language, timeZone)}: ${event.text}`}>
        <div data-event style={{
          position: 'absolute', left: x - 5, bottom: -6, width: 0, height: 0, cursor: 'help', zIndex: 1,
          borderLeft: '5px solid transparent', borderRight: '5px solid transparent', borderBottom: `6px solid ${color}`,
        }} />
      </Tooltip>
    )),
    plot.over
  );
}
