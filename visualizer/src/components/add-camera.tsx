/** Add a camera: its address, a test of what it sends, then the camera. Mistakes are told beside their field. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProbeReport } from '../../../src/api/protocol.ts';
import { ApiError, messageOf } from '../adapter.ts';
import { useApp } from '../app.ts';
import { fieldErrors } from '../models/field-errors.ts';
import { CheckIcon, WarnIcon } from './icons.tsx';

type Errors = { url?: string; name?: string; form?: string };
type Step = 'idle' | 'probing' | 'saving';

export function AddCamera(): JSX.Element {
  const { adapter, dialog, fleet, notices, router } = useApp();
  const [url, setUrl] = useState('');
  const [name, setName] = useState('');
  const [errors, setErrors] = useState<Errors>({});
  const [step, setStep] = useState<Step>('idle');
  const [transcode, setTranscode] = useState(false);
  const [report, setReport] = useState<{ url: string; found: ProbeReport } | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const attempt = async (doing: Step, work: () => Promise<void>): Promise<void> => {
    const problem = urlProblem(url);
    setErrors(problem === null ? {} : { url: problem });
    if (problem !== null) return;
    setStep(doing);
    try {
      await work();
    } catch (error) {
      setErrors(errorsOf(error));
    } finally {
      setStep('idle');
    }
  };
  const probe = (): Promise<void> => attempt('probing', async () => {
    setReport(null);
    abort.current?.abort();
    abort.current = new AbortController();
    setReport({ url, found: await adapter.probe(url.trim(), abort.current.signal) });
  });
  const save = (): Promise<void> => attempt('saving', async () => {
    const camera = await adapter.create({ url: url.trim(), ...(name.trim() === '' ? {} : { name: name.trim() }), ...(transcode && probed && canTranscode(probed) ? { outputs: { live: { transcode: 'on-demand' } } } : {}) });
    fleet.put(camera);
    notices.show('good', `${camera.name} is added.`);
    dialog.value = null;
    router.go({ view: 'camera', id: camera.id });
  });
  const probed = report?.url === url ? report.found : null;

  return (
    <form class="modal-body" noValidate onSubmit={(event) => { event.preventDefault(); void (probed ? save() : probe()); }}>
      <Field id="camera-url" label="Address" hint="User and password may be part of it; they are stored encrypted and never shown." error={errors.url}>
        <input id="camera-url" type="url" inputMode="url" placeholder="rtsp://user:password@192.168.1.20:554/stream1" autocomplete="off" spellcheck={false} autofocus required
          aria-invalid={errors.url !== undefined} aria-describedby="camera-url-hint" value={url} onInput={(event) => setUrl(event.currentTarget.value)} />
      </Field>
      <Field id="camera-name" label="Name" hint="Optional." error={errors.name}>
        <input id="camera-name" type="text" autocomplete="off" maxLength={128} aria-invalid={errors.name !== undefined} aria-describedby="camera-name-hint" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <div class="probe" aria-live="polite">
        {step === 'probing' && <p class="muted">Playing it for a moment …</p>}
        {probed && <Found report={probed} />}
        {probed && canTranscode(probed) && <label class="check"><input type="checkbox" id="camera-transcode" checked={transcode} onChange={({ currentTarget }) => setTranscode(currentTarget.checked)} />Turn it into H.264 while somebody watches</label>}
      </div>
      {errors.form !== undefined && <p class="field-error" role="alert">{errors.form}</p>}
      <footer class="modal-foot">
        {!probed && <button type="button" class="button" disabled={step !== 'idle'} onClick={() => void save()}>{step === 'saving' ? 'Adding …' : 'Add without testing'}</button>}
        <button type="submit" class="button button-primary" disabled={step !== 'idle'}>{probed ? (step === 'saving' ? 'Adding …' : 'Add camera') : step === 'probing' ? 'Testing …' : 'Test connection'}</button>
      </footer>
    </form>
  );
}

/** A labelled field with its hint, which gives way to its mistake. */
export function Field({ id, label, hint, error, children }: { id: string; label: string; hint: string; error: string | undefined; children: JSX.Element }): JSX.Element {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children}
      <p id={`${id}-hint`} class={error === undefined ? 'field-hint' : 'field-error'} role={error === undefined ? undefined : 'alert'}>{error ?? hint}</p>
    </div>
  );
}

/** Whether a transcode is what WebRTC viewers need, and can be had. */
const canTranscode = ({ verdicts: { webrtc, transcode } }: ProbeReport): boolean => !webrtc.ok && transcode?.ok === true;

const paths = [['webrtc', 'Live (WebRTC)'], ['transcode', 'Live, turned into H.264'], ['hls', 'HLS'], ['recording', 'Recording'], ['frames', 'Frames']] as const;

function Found({ report }: { report: ProbeReport }): JSX.Element {
  const { media } = report;
  const line = media && [media.codec === 'H264' ? 'H.264' : 'H.265', media.profile, media.width !== null && `${media.width} × ${media.height}`, media.fps !== null && `${Math.round(media.fps)} fps`,
    report.gopMs !== null && `keyframe every ${(report.gopMs / 1000).toFixed(1)} s`, media.audio ? `audio ${media.audio.codec}` : 'no audio', report.bFrames && 'B-frames'].filter(Boolean).join(' · ');
  return (
    <>
      <p><b>{line ?? 'No video track was seen.'}</b>{report.server !== null && <span class="muted"> {report.server}</span>}</p>
      <ul class="verdicts">
        {paths.map(([path, label]) => {
          const verdict = report.verdicts[path];
          if (!verdict || (path === 'transcode' && report.verdicts.webrtc.ok)) return null;
          const { ok, why } = verdict;
          return <li key={path} class={ok ? 'verdict tone-live' : 'verdict tone-warn'}>{ok ? <CheckIcon /> : <WarnIcon />}<span><b>{label}</b> <span class="muted">{why}</span></span></li>;
        })}
      </ul>
    </>
  );
}

/** What is wrong with an address; null nothing that can be told here. */
export function urlProblem(text: string): string | null {
  if (text.trim() === '') return 'Enter the address of the camera.';
  if (!/^rtsps?:\/\//iu.test(text.trim())) return 'The address must begin with rtsp:// or rtsps://.';
  return (URL.parse(text.trim())?.hostname ?? '') !== '' ? null : 'This is not a complete address: it needs at least a host, as in rtsp://192.168.1.20/.';
}

/** Puts each mistake beside the field that made it. */
function errorsOf(error: unknown): Errors {
  if (!(error instanceof ApiError)) return { form: messageOf(error) };
  const byField = fieldErrors(error, { url: 'The address', name: 'The name' });
  if (byField.url !== undefined || byField.name !== undefined) return byField;
  const aboutUrl = error.code === 'LOOKOUT_CAMERA_URL' || error.code === 'LOOKOUT_PROBE_FAILED' || error.code === 'LOOKOUT_UNSUPPORTED_MEDIA';
  return aboutUrl ? { url: error.message } : { form: error.message };
}
