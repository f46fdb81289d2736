/** The buttons that act on one camera, the same in the list and in the single view. */
import type { JSX } from 'preact';
import type { CameraView } from '../../../src/api/protocol.ts';
import { useApp } from '../app.ts';
import { ChangeIcon, PlayIcon, RemoveIcon, RestartIcon, RetryIcon, StopIcon } from './icons.tsx';

/** `labels` shows words beside the icons. */
export function Commands({ camera, labels }: { camera: CameraView; labels: boolean }): JSX.Element {
  const { command, dialog, session } = useApp();
  const state = session.state.value;
  const admin = state.status === 'ready' && state.session.role === 'admin';
  const running = camera.desired === 'running';
  const waiting = camera.state === 'backoff' || camera.state === 'quarantined';
  const button = (label: string, Icon: () => JSX.Element, options: { run: () => void; disabled?: boolean; danger?: boolean }): JSX.Element => (
    <button
      type="button" class={`${labels ? 'button' : 'icon-button'}${options.danger ? ' danger' : ''}`} disabled={options.disabled ?? false}
      title={label} aria-label={labels ? undefined : `${label} ${camera.name}`} onClick={options.run}
    >
      <Icon />{labels && label}
    </button>
  );
  return (
    <div class="commands">
      {running
        ? button('Stop', StopIcon, { run: () => void command(camera.id, 'stop') })
        : button('Start', PlayIcon, { run: () => void command(camera.id, 'start') })}
      {button('Restart', RestartIcon, { run: () => void command(camera.id, 'restart'), disabled: !running })}
      {button('Retry', RetryIcon, { run: () => void command(camera.id, 'retry'), disabled: !waiting })}
      {labels && admin && button('Change', ChangeIcon, { run: () => { dialog.value = { kind: 'change', id: camera.id }; }, disabled: camera.declared === true })}
      {button('Remove', RemoveIcon, { run: () => { dialog.value = { kind: 'remove', id: camera.id }; }, danger: true })}
    </div>
  );
}
