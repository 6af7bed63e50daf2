/** Starts the program: fonts, theme, links. */
import './page.css';

import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles, PortalContainer } from '@grafana/ui';
import { useMemo, useState } from 'react';
import { createRoot } from 'react-dom/client';

import { followLinks, rememberMode, startMode, type Mode } from './address';
import { App } from './App';

declare global {
  interface Window {
    /** where the components look for their icons */
    __grafana_public_path__: string;
  }
}

window.__grafana_public_path__ = '/static/';

function Program() {
  const [mode, setMode] = useState<Mode>(startMode);
  const theme = useMemo(() => createTheme({ colors: { mode } }), [mode]);
  const choose = (next: Mode) => {
    rememberMode(next);
    setMode(next);
  };
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <App mode={mode} onMode={choose} />
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

followLinks();
createRoot(document.getElementById('root')!).render(<Program />);
