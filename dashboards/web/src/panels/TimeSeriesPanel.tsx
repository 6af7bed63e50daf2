/** A trend: Grafana's time series with its tooltip, a legend that can be clicked, zoom by dragging, and events. */
import {
  DashboardCursorSync, EventBusSrv, FieldType, getFieldDisplayName, type DataFrame, type Field, type LinkModel,
} from '@grafana/data';
import { SortOrder, TooltipDisplayMode } from '@grafana/schema';
import {
  EventBusPlugin, getFieldDisplayItems, PanelContextProvider, SeriesVisibilityChangeMode, TimeSeries, TooltipPlugin2, VizTooltipContent,
  VizTooltipFooter, VizTooltipHeader, VizTooltipWrapper, type UPlotConfigBuilder,
} from '@grafana/ui';
import { useCallback, useMemo, useState } from 'react';

import type { Json, VizProps } from '../types';
import { EventMarks } from './EventMarks';

/** Hovering one chart shows the instant in all. */
const bus = new EventBusSrv();

function plottable(frames: DataFrame[], hidden: Set<string>): DataFrame[] {
  return frames
    .map((frame) => ({
      ...frame,
      fields: frame.fields
        .filter((f) => f.type === FieldType.time || f.type === FieldType.number)
        .map((f) => ({ ...f, config: { ...f.config, custom: { ...f.config.custom, hideFrom: hideFrom(f, frame, frames, hidden) } } })),
    }))
    .filter((frame) => frame.fields.length > 1);
}

function hideFrom(field: Field, frame: DataFrame, frames: DataFrame[], hidden: Set<string>) {
  const gone = hidden.has(getFieldDisplayName(field, frame, frames));
  return { legend: false, ...field.config.custom?.hideFrom, viz: gone, tooltip: gone };
}

/** A click shows one series alone, a second click all again; with Ctrl or Shift one comes or goes. */
function toggled(label: string, mode: SeriesVisibilityChangeMode, hidden: Set<string>, all: string[]): Set<string> {
  if (mode === SeriesVisibilityChangeMode.AppendToSelection) {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    return next;
  }
  const alone = all.every((name) => hidden.has(name) !== (name === label));
  return new Set(alone ? [] : all.filter((name) => name !== label));
}

function legendOf(legend?: Json) {
  const given = { displayMode: 'list', placement: 'bottom', calcs: [], showLegend: true, ...legend };
  return { ...given, showLegend: given.showLegend && given.displayMode !== 'hidden' } as never;
}

export function TimeSeriesPanel({ panel, frames, width, height, timeRange, timeZone, language, events, onZoom }: VizProps) {
  const [hidden, setHidden] = useState<Set<string>>(new Set());
  const drawn = useMemo(() => plottable(frames, hidden), [frames, hidden]);
  const names = useMemo(
    () => frames.flatMap((frame) => frame.fields.filter((f) => f.type === FieldType.number).map((f) => getFieldDisplayName(f, frame, frames))),
    [frames]
  );
  const onToggleSeriesVisibility = useCallback(
    (label: string | string[] | null, mode: SeriesVisibilityChangeMode) => {
      if (typeof label === 'string') setHidden((before) => toggled(label, mode, before, names));
    },
    [names]
  );
  const context = useMemo(
    () => ({ eventsScope: 'global', eventBus: bus, sync: () => DashboardCursorSync.Crosshair, onToggleSeriesVisibility }),
    [onToggleSeriesVisibility]
  );
  return (
    <PanelContextProvider value={context}>
      <TimeSeries
        frames={drawn} timeRange={timeRange} timeZone={timeZone} width={width} height={height}
        legend={legendOf(panel.options.legend)} options={panel.options}
      >
        {(config: UPlotConfigBuilder, aligned: DataFrame) => (
          <>
            <EventBusPlugin config={config} eventBus={bus} />
            <EventMarks config={config} events={events} timeZone={timeZone} language={language} />
            <Tooltip config={config} aligned={aligned} mode={panel.options.tooltip?.mode} onZoom={onZoom} />
          </>
        )}
      </TimeSeries>
    </PanelContextProvider>
  );
}

interface TooltipProps {
  config: UPlotConfigBuilder;
  aligned: DataFrame;
  mode?: TooltipDisplayMode;
  onZoom: VizProps['onZoom'];
}

function Tooltip({ config, aligned, mode = TooltipDisplayMode.Multi, onZoom }: TooltipProps) {
  if (mode === TooltipDisplayMode.None) return null;
  const [time] = aligned.fields;
  const linksOf = (series: number, row: number): LinkModel[] =>
    aligned.fields[series]?.getLinks?.({ valueRowIndex: row }) ?? [];
  return (
    <TooltipPlugin2
      config={config}
      // over the whole height of a chart for all series, else near one
      hoverMode={mode === TooltipDisplayMode.Single ? 0 : 1}
      queryZoom={({ from, to }) => onZoom(Math.round(from), Math.round(to))}
      syncMode={DashboardCursorSync.Crosshair}
      syncScope="global"
      getDataLinks={linksOf as never}
      render={(_u, rows, series, pinned, _dismiss, _range, viaSync, links) => {
        if (viaSync) return null;
        const row = rows.find((r, i) => i > 0 && r != null) ?? rows[0];
        const at = row == null ? '' : time.display!(time.values[row]).text;
        const items = getFieldDisplayItems(aligned.fields, time, rows, series, mode, SortOrder.Descending);
        return (
          <VizTooltipWrapper>
            <VizTooltipHeader item={{ label: at, value: '' }} isPinned={pinned} />
            <VizTooltipContent items={items} isPinned={pinned} scrollable={items.length > 20} maxHeight={400} />
            {pinned && links && links.length > 0 && <VizTooltipFooter dataLinks={links} />}
          </VizTooltipWrapper>
        );
      }}
    />
  );
}
