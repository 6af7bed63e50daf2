/** A button with something that opens below it, and closes by Escape or a click elsewhere. */
import { Icon, useTheme2, type IconName } from '@grafana/ui';
import { useEffect, useRef, useState, type ReactNode } from 'react';

interface Props {
  label: ReactNode;
  icon?: IconName;
  title?: string;
  name: string;
  right?: boolean;
  children: (close: () => void) => ReactNode;
}

export function Drop({ label, icon, title, name, right, children }: Props) {
  const theme = useTheme2();
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener('mousedown', outside);
    document.addEventListener('keydown', outside);
    return () => {
      document.removeEventListener('mousedown', outside);
      document.removeEventListener('keydown', outside);
    };
  }, [open]);
  return (
    <div ref={box} style={{ position: 'relative', display: 'inline-flex' }}>
      <button type="button" data-drop={name} title={title} aria-expanded={open} onClick={() => setOpen(!open)} style={buttonStyle(theme)}>
        {icon && <Icon name={icon} size="sm" />}
        <span style={{ overflow: 'hidden', textOverflow: 'ellipsis' }}>{label}</span>
        <Icon name="angle-down" size="sm" />
      </button>
      {open && (
        <div style={{
          position: 'absolute', top: '100%', [right ? 'right' : 'left']: 0, marginTop: 4, zIndex: theme.zIndex.dropdown, minWidth: 180,
          maxHeight: '70vh', overflowY: 'auto', background: theme.colors.background.elevated, boxShadow: theme.shadows.z3,
          border: `1px solid ${theme.colors.border.weak}`, borderRadius: theme.shape.radius.default, padding: 4,
        }}>
          {children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}

export const buttonStyle = (theme: ReturnType<typeof useTheme2>) => ({
  display: 'inline-flex', alignItems: 'center', gap: 6, height: 32, padding: '0 10px', maxWidth: 360, whiteSpace: 'nowrap' as const,
  border: `1px solid ${theme.colors.border.medium}`, borderRadius: theme.shape.radius.default, cursor: 'pointer',
  background: theme.components.input.background, color: theme.colors.text.primary, fontSize: 13,
});

export function Choice({ chosen, onClick, children }: { chosen?: boolean; onClick: () => void; children: ReactNode }) {
  const theme = useTheme2();
  return (
    <button type="button" role="option" aria-selected={Boolean(chosen)} onClick={onClick} style={{
      display: 'flex', width: '100%', alignItems: 'center', gap: 8, padding: '5px 10px', border: 'none', textAlign: 'left', cursor: 'pointer',
      background: chosen ? theme.colors.action.selected : 'transparent', color: theme.colors.text.primary, whiteSpace: 'nowrap', fontSize: 13,
    }}>{children}</button>
  );
}
