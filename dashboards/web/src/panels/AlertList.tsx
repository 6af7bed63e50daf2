/** The alerts that fire, as the server evaluates the generated rules. */
import { Icon, Tooltip, useTheme2 } from '@grafana/ui';
import { useEffect, useState } from 'react';

import { askAlerts, type Alert } from '../server';
import { minute } from '../time';
import type { Language, Words } from '../words';

interface Props {
  language: Language;
  words: Words;
  timeZone: string;
  tick: number;
  most: number;
}

export function AlertList({ language, words, timeZone, tick, most }: Props) {
  const theme = useTheme2();
  const [alerts, setAlerts] = useState<Alert[]>();
  const [failed, setFailed] = useState<string>();
  useEffect(() => {
    let current = true;
    askAlerts(language).then(
      (found) => { if (current) { setAlerts(found); setFailed(undefined); } },
      (error: Error) => current && setFailed(error.message)
    );
    return () => { current = false; };
  }, [language, tick]);
  const colors: Record<string, string> = {
    critical: theme.colors.error.text, warning: theme.colors.warning.text, info: theme.colors.info.text,
  };
  if (failed) return <Line color={theme.colors.error.text}>{words.failed}: {failed}</Line>;
  if (!alerts) return <Line color={theme.colors.text.secondary}>{words.loading}</Line>;
  if (!alerts.length) return <Line color={theme.colors.success.text}><Icon name="check-circle" /> {words.quiet}</Line>;
  return (
    <div data-alerts style={{ height: '100%', overflowY: 'auto', fontSize: theme.typography.bodySmall.fontSize }}>
      <Counted alerts={alerts} colors={colors} words={words} />
      {alerts.slice(0, most).map((alert, i) => (
        <Tooltip key={i} content={`${words.first}: ${alert.first}`}>
          <a href={alert.url} style={{
            display: 'grid', gridTemplateColumns: '110px 1fr auto', gap: 12, padding: '4px 2px', alignItems: 'baseline',
            borderBottom: `1px solid ${theme.colors.border.weak}`,
          }}>
            <span style={{ color: colors[alert.severity] }}>● {words.severity[alert.severity] ?? alert.severity}</span>
            <span><b>{alert.name}.</b> {alert.text}</span>
            <span style={{ color: theme.colors.text.secondary, whiteSpace: 'nowrap' }}>
              {words.since} {minute(Date.parse(alert.since), language, timeZone)}
            </span>
          </a>
        </Tooltip>
      ))}
    </div>
  );
}

/** How many of each severity: the list may be longer than its panel. */
function Counted({ alerts, colors, words }: { alerts: Alert[]; colors: Record<string, string>; words: Words }) {
  const theme = useTheme2();
  const known = Object.keys(colors).map((severity) => ({ severity, count: alerts.filter((a) => a.severity === severity).length }));
  return (
    <div data-counted style={{ position: 'sticky', top: 0, display: 'flex', gap: 16, padding: '2px', background: theme.colors.background.primary }}>
      {known.filter(({ count }) => count > 0).map(({ severity, count }) => (
        <span key={severity} style={{ color: colors[severity], fontWeight: 500 }}>{words.severity[severity]}: {count}</span>
      ))}
    </div>
  );
}

function Line({ color, children }: { color: string; children: React.ReactNode }) {
  return <div style={{ color, padding: 8, display: 'flex', gap: 6, alignItems: 'center' }}>{children}</div>;
}
