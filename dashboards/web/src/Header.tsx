/** The head of a page: its choices, the range of time, and the ways to other pages, languages and themes. */
import type { TimeRange } from '@grafana/data';
import { IconButton, useTheme2 } from '@grafana/ui';
import { useState } from 'react';

import { addressOf, go, type Mode, type Place } from './address';
import { buttonStyle, Choice, Drop } from './Drop';
import type { Page } from './server';
import { describe, fromField, toField } from './time';
import type { Json } from './types';
import { EVERYTHING, textOf, valuesOf, type Variable } from './variables';
import type { Words } from './words';

interface Props {
  page: Page;
  place: Place;
  from: string;
  to: string;
  range: TimeRange;
  refresh: string;
  variables: Variable[];
  words: Words;
  mode: Mode;
  onMode: (mode: Mode) => void;
  onRefresh: () => void;
}

const QUICK = ['now-1h', 'now-6h', 'now-24h', 'now-2d', 'now-7d', 'now-30d', 'now-90d', 'now-13M', 'now/d', 'now/w', 'now/M', 'now/y'];

export function Header(props: Props) {
  const { page, place, variables, words, mode } = props;
  const theme = useTheme2();
  const { board } = page;
  return (
    <header data-head style={{ marginBottom: 12 }}>
      <div style={{ display: 'flex', alignItems: 'center', flexWrap: 'wrap', gap: 8, marginBottom: 8 }}>
        <h1 style={{ ...theme.typography.h4, margin: 0 }} title={board.description}>{board.title}</h1>
        <span style={{ flex: 1 }} />
        <TimeChoice {...props} />
        <RefreshChoice {...props} />
        <IconButton
          name="adjust-circle" size="lg" tooltip={mode === 'dark' ? words.light : words.dark} data-mode
          onClick={() => props.onMode(mode === 'dark' ? 'light' : 'dark')}
        />
        <IconButton name="monitor" size="lg" tooltip={words.fullScreen} data-kiosk onClick={() => fullScreen(place)} />
      </div>
      <div style={{ display: 'flex', flexWrap: 'wrap', gap: 8, alignItems: 'center' }}>
        {variables.map((v) => <VariableChoice key={v.name} variable={v} {...props} />)}
        <span style={{ flex: 1 }} />
        <Links {...props} />
      </div>
    </header>
  );
}

async function fullScreen(place: Place) {
  go(addressOf({ ...place, kiosk: true }));
  await document.documentElement.requestFullscreen?.().catch(() => undefined); // a window that may not still loses its head
}

function TimeChoice({ page, place, from, to, range, words }: Props) {
  const theme = useTheme2();
  const zone = page.board.timezone;
  const [start, end] = [range.from.valueOf(), range.to.valueOf()];
  const [typed, setTyped] = useState<{ from: string; to: string }>();
  const shown = typed ?? { from: toField(start, zone), to: toField(end, zone) };
  const set = (a: string | number, b: string | number) => go(addressOf({ ...place, from: String(a), to: String(b) }));
  const [first, last] = [fromField(shown.from, zone), fromField(shown.to, zone)];
  const field = (name: 'from' | 'to') => (
    <label style={{ display: 'flex', gap: 8, alignItems: 'center', justifyContent: 'space-between', padding: '4px 10px' }}>
      {words[name]}
      <input
        type="datetime-local" name={name} value={shown[name]} onChange={(e) => setTyped({ ...shown, [name]: e.target.value })}
        style={{ ...buttonStyle(theme), colorScheme: theme.isDark ? 'dark' : 'light' }}
      />
    </label>
  );
  return (
    <>
      <IconButton name="angle-left" tooltip={words.earlier} onClick={() => set(start - (end - start), start)} />
      <Drop
        name="time" icon="clock-nine" title={zone} right
        label={<>{describe(from, to, range, zone, page.language, words)} <Dim>{zone}</Dim></>}
      >
        {(close) => (
          <div style={{ display: 'flex' }}>
            <div>
              {QUICK.map((quick) => (
                <Choice key={quick} chosen={quick === from} onClick={() => {
                  setTyped(undefined);
                  set(quick, quick.startsWith('now/') ? quick : 'now');
                  close();
                }}>{words.ranges[quick]}</Choice>
              ))}
            </div>
            <div style={{ borderLeft: `1px solid ${theme.colors.border.weak}`, paddingLeft: 4 }}>
              {field('from')}
              {field('to')}
              <div style={{ padding: '4px 10px', textAlign: 'right' }}>
                {first >= last && <div style={{ color: theme.colors.error.text }}>{words.wrongTime}</div>}
                <button type="button" data-apply disabled={!(first < last)} style={buttonStyle(theme)} onClick={() => {
                  setTyped(undefined);
                  set(first, last);
                  close();
                }}>{words.apply}</button>
              </div>
            </div>
          </div>
        )}
      </Drop>
      <IconButton name="angle-right" tooltip={words.later} onClick={() => set(end, end + (end - start))} />
      <IconButton name="search-minus" tooltip={words.widen} onClick={() => set(start - (end - start) / 2, end + (end - start) / 2)} />
    </>
  );
}

function Dim({ children }: { children: React.ReactNode }) {
  return <span style={{ opacity: 0.65 }}>{children}</span>;
}

function RefreshChoice({ page, place, refresh, words, onRefresh }: Props) {
  const offered: string[] = page.board.timepicker?.refresh_intervals ?? [];
  return (
    <>
      <IconButton name="sync" size="lg" tooltip={words.refreshNow} data-refresh onClick={onRefresh} />
      <Drop name="refresh" title={words.refreshEvery} label={refresh || words.off} right>
        {(close) => ['', ...offered].map((every) => (
          <Choice key={every} chosen={every === refresh} onClick={() => {
            go(addressOf({ ...place, refresh: every }));
            close();
          }}>{every || words.off}</Choice>
        ))}
      </Drop>
    </>
  );
}

function VariableChoice({ variable, variables, place, words }: Props & { variable: Variable }) {
  const theme = useTheme2();
  const [wanted, setWanted] = useState('');
  const choose = (values: string[]) =>
    go(addressOf({ ...place, variables: { ...place.variables, ...valuesOf(variables), [variable.name]: values } }));
  const toggle = (value: string) => {
    const rest = variable.values.filter((v) => v !== EVERYTHING && v !== value);
    const next = variable.values.includes(value) ? rest : [...rest, value];
    choose(next.length ? next : [EVERYTHING]);
  };
  const found = variable.options.filter((o) => `${o.text} ${o.value}`.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <span style={{ display: 'inline-flex' }}>
      <span style={{
        ...buttonStyle(theme), cursor: 'default', borderRight: 'none', background: theme.colors.background.secondary, fontWeight: 500,
      }}>{variable.label}</span>
      <Drop name={variable.name} label={textOf(variable, words.all) || words.none}>
        {(close) => (
          <>
            {variable.options.length > 8 && (
              <input placeholder={words.search} value={wanted} autoFocus onChange={(e) => setWanted(e.target.value)}
                style={{ ...buttonStyle(theme), width: '100%', cursor: 'text' }} />
            )}
            {variable.many && <Choice chosen={variable.values.includes(EVERYTHING)} onClick={() => choose([EVERYTHING])}>{words.all}</Choice>}
            {found.map((o) => (
              <Choice key={o.value} chosen={variable.values.includes(o.value)} onClick={() => {
                if (variable.many) {
                  toggle(o.value);
                } else {
                  choose([o.value]);
                  close();
                }
              }}>
                {variable.many && <input type="checkbox" readOnly tabIndex={-1} checked={variable.values.includes(o.value)} />}
                {o.text} {o.text !== o.value && <Dim>{o.value}</Dim>}
              </Choice>
            ))}
          </>
        )}
      </Drop>
    </span>
  );
}

/** Links keep the time and the choices, as Grafana's do. */
function Links({ page, place, from, to, variables, words }: Props) {
  const theme = useTheme2();
  const kept = (url: string) => {
    const uid = url.split('/').pop() ?? '';
    return addressOf({ ...place, uid, from, to, viewPanel: undefined, variables: { ...place.variables, ...valuesOf(variables) } });
  };
  const links: Json[] = page.board.links ?? [];
  const others = page.pages.filter((p) => p.language === page.language);
  return (
    <>
      {links.filter((l) => l.type === 'link').map((l) => (
        <a key={l.title} href={kept(l.url)} style={{ ...buttonStyle(theme), color: theme.colors.text.link }}>{l.title}</a>
      ))}
      {others.length > 1 && (
        <Drop name="pages" icon="apps" label={words.pages} right>
          {(close) => others.map((p) => (
            <a key={p.uid} href={kept(`/d/${p.uid}`)} onClick={close} style={{ display: 'block', padding: '5px 10px', fontSize: 13, fontWeight: p.uid === page.board.uid ? 600 : 400 }}>
              {p.title}
            </a>
          ))}
        </Drop>
      )}
    </>
  );
}
