/** The dialogs, on the browser's own `<dialog>`: focus stays inside, Esc closes, focus returns. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { messageOf } from '../adapter.ts';
import { useApp } from '../app.ts';
import { AddCamera } from './add-camera.tsx';
import { ChangeCamera } from './change-camera.tsx';
import { CloseIcon } from './icons.tsx';

export function Dialogs(): JSX.Element | null {
  const { dialog } = useApp();
  const current = dialog.value;
  if (current === null) return null;
  if (current.kind === 'add') return <Modal key="add" title="Add camera"><AddCamera /></Modal>;
  if (current.kind === 'change') return <Modal key="change" title="Change camera"><Change id={current.id} /></Modal>;
  if (current.kind === 'remove') return <Modal key="remove" title="Remove camera"><RemoveCamera id={current.id} /></Modal>;
  return <Modal key="keys" title="Keyboard"><Keys /></Modal>;
}

/** `onClose`: for a dialog that its view keeps; else it is the page's one. */
export function Modal({ title, children, onClose }: { title: string; children: ComponentChildren; onClose?: () => void }): JSX.Element {
  const { dialog } = useApp();
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = ref.current;
    element?.showModal();
    // Closing it, not just removing it, is what gives the focus back.
    return () => element?.close();
  }, []);
  // Chromium tells `close` late, so the model follows `cancel` (Esc); `close` alone comes where Esc is pressed twice.
  const mine = useRef(dialog.peek()).current;
  const dismiss = (): void => {
    if (onClose) onClose();
    else if (dialog.peek() === mine) dialog.value = null;
  };
  return (
    <dialog ref={ref} class="modal" aria-labelledby="dialog-title" onCancel={dismiss} onClose={dismiss} onKeyDown={(event) => event.stopPropagation()}>
      <header class="modal-head">
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={dismiss}><CloseIcon /></button>
      </header>
      {children}
    </dialog>
  );
}

/** The form begins with the camera as it is when it opens. */
function Change({ id }: { id: string }): JSX.Element {
  const { fleet } = useApp();
  const [camera] = useState(() => fleet.camera(id).peek()?.view);
  return camera ? <ChangeCamera camera={camera} /> : <p class="modal-body">There is no camera with this id any more.</p>;
}

function RemoveCamera({ id }: { id: string }): JSX.Element {
  const { adapter, dialog, fleet, notices, router } = useApp();
  const [state, setState] = useState<{ busy: boolean; error: string | null }>({ busy: false, error: null });
  const name = fleet.camera(id).value?.view.name ?? id;
  const remove = async (): Promise<void> => {
    setState({ busy: true, error: null });
    try {
      await adapter.remove(id);
      notices.show('good', `${name} is removed.`);
      dialog.value = null;
      if (router.route.peek().view === 'camera') router.go({ view: 'wall' });
    } catch (error) {
      setState({ busy: false, error: messageOf(error) });
    }
  };
  return (
    <div class="modal-body">
      <p><b>{name}</b> stops, its viewers lose the picture, and its configuration is deleted. This cannot be undone.</p>
      {state.error !== null && <p class="field-error" role="alert">{state.error}</p>}
      <footer class="modal-foot">
        <button type="button" class="button" autofocus onClick={() => { dialog.value = null; }}>Keep</button>
        <button type="button" class="button button-danger" disabled={state.busy} onClick={() => void remove()}>{state.busy ? 'Removing …' : 'Remove'}</button>
      </footer>
    </div>
  );
}

const keys: [string[], string][] = [
  [['←', '↑', '↓', '→'], 'Move between tiles; in the single view, to the next camera'],
  [['Shift', '←', '↑', '↓', '→'], 'Move the tile'],
  [['Enter'], 'Open the camera'],
  [['Esc'], 'Back to the wall'],
  [['/'], 'Search'],
  [['W'], 'Wall'],
  [['C'], 'Cameras'],
  [['R'], 'Recordings'],
  [['I'], 'Inspector'],
  [['A'], 'Add camera'],
  [['F'], 'Full screen'],
  [['M'], 'Listen to the camera, or mute it'],
  [['T'], 'Theme'],
  [['?'], 'These keys'],
];

function Keys(): JSX.Element {
  const { preferences } = useApp();
  const { shortcuts } = preferences;
  return (
    <div class="modal-body">
      <dl class="keys">
        {keys.map(([names, what]) => <div key={what}><dt>{names.map((name) => <kbd key={name}>{name}</kbd>)}</dt><dd>{what}</dd></div>)}
      </dl>
      <label class="check">
        <input type="checkbox" checked={shortcuts.value === 'on'} onChange={(event) => { shortcuts.value = event.currentTarget.checked ? 'on' : 'off'; }} />
        Shortcuts of one character
      </label>
    </div>
  );
}
