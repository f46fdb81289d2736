/** Add a camera: its address, a test of what it sends, then the camera. Mistakes are told beside their field. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ProbeReport } from '../../../src/api/protocol.ts';
import { ApiError, messageOf } from '../adapter.ts';
import { useApp } from '../app.ts';
import { fieldErrors, refusedAddress } from '../models/field-errors.ts';
import { CheckIcon, WarnIcon } from './icons.tsx';

type Errors = { url?: string; sub?: string; name?: string; form?: string };
/** Which of the two addresses was tested, and what it sends. */
type Tested = { url: string; found: ProbeReport };
type Step = 'idle' | 'probing' | 'saving';

export function AddCamera(): JSX.Element {
  const { adapter, dialog, fleet, notices, router } = useApp();
  const [url, setUrl] = useState('');
  const [sub, setSub] = useState('');
  const [name, setName] = useState('');
  const [errors, setErrors] = useState<Errors>({});
  const [step, setStep] = useState<Step>('idle');
  const [transcode, setTranscode] = useState(false);
  const [report, setReport] = useState<Tested | null>(null);
  const [subReport, setSubReport] = useState<Tested | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const attempt = async (doing: Step, work: () => Promise<void>): Promise<void> => {
    const [problem, subProblem] = [urlProblem(url), sub.trim() === '' ? null : urlProblem(sub)];
    setErrors({ ...(problem !== null && { url: problem }), ...(subProblem !== null && { sub: subProblem }) });
    if (problem !== null || subProblem !== null) return;
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
    const { signal } = abort.current;
    setReport({ url, found: await adapter.probe(url.trim(), signal) });
    if (sub.trim() === '') return;
    setSubReport(null);
    // Its mistakes belong to its own field.
    setSubReport({ url: sub, found: await adapter.probe(sub.trim(), signal).catch((error: unknown) => { throw new SubProblem(messageOf(error)); }) });
  });
  const save = (): Promise<void> => attempt('saving', async () => {
    const camera = await adapter.create({ url: url.trim(), ...(sub.trim() === '' ? {} : { sub: { url: sub.trim() } }), ...(name.trim() === '' ? {} : { name: name.trim() }), ...(transcode && probed && canTranscode(probed) ? { outputs: { live: { transcode: 'on-demand' } } } : {}) });
    fleet.put(camera);
    notices.show('good', `${camera.name} is added.`);
    dialog.value = null;
    router.go({ view: 'camera', id: camera.id });
  });
  const subProbed = subReport?.url === sub ? subReport.found : null;
  const probed = report?.url === url && (sub.trim() === '' || subProbed !== null) ? report.found : null;

  return (
    <form class="modal-body" noValidate onSubmit={(event) => { event.preventDefault(); void (probed ? save() : probe()); }}>
      <Field id="camera-url" label="Address" hint="User and password may be part of it; they are stored encrypted and never shown." error={errors.url}>
        <input id="camera-url" type="url" inputMode="url" placeholder="rtsp://user:password@192.168.1.20:554/stream1" autocomplete="off" spellcheck={false} autofocus required
          aria-invalid={errors.url !== undefined} aria-describedby="camera-url-hint" value={url} onInput={(event) => setUrl(event.currentTarget.value)} />
      </Field>
      <Field id="camera-sub" label="Sub stream" hint="Optional: the camera's second, smaller stream. Walls play it, so that many pictures fit." error={errors.sub}>
        <input id="camera-sub" type="url" inputMode="url" placeholder="rtsp://user:password@192.168.1.20:554/stream2" autocomplete="off" spellcheck={false}
          aria-invalid={errors.sub !== undefined} aria-describedby="camera-sub-hint" value={sub} onInput={(event) => setSub(event.currentTarget.value)} />
      </Field>
      <Field id="camera-name" label="Name" hint="Optional." error={errors.name}>
        <input id="camera-name" type="text" autocomplete="off" maxLength={128} aria-invalid={errors.name !== undefined} aria-describedby="camera-name-hint" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      </Field>
      <div class="probe" aria-live="polite">
        {step === 'probing' && <p class="muted">Playing it for a moment …</p>}
        {probed && <Found report={probed} />}
        {probed && canTranscode(probed) && <label class="check"><input type="checkbox" id="camera-transcode" checked={transcode} onChange={({ currentTarget }) => setTranscode(currentTarget.checked)} />Turn it into H.264 while somebody watches</label>}
        {probed && subProbed && <><p class="muted">Sub stream</p><Found report={subProbed} /></>}
      </div>
      {errors.form !== undefined && <p class="field-error" role="alert">{errors.form}</p>}
      <footer class="modal-foot">
        {!probed && <button type="button" class="button" disabled={step !== 'idle'} onClick={() => void save()}>{step === 'saving' ? 'Adding …' : 'Add without testing'}</button>}
        <button type="submit" class="button button-primary" disabled={step !== 'idle'}>{probed ? (step === 'saving' ? 'Adding …' : 'Add camera') : step === 'probing' ? 'Testing …' : 'Test connection'}</button>
      </footer>
    </form>
  );
}

/** The second address could not be played. */
class SubProblem extends Error {}

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
  const { media, picture } = report;
  const line = media && [media.codec === 'H264' ? 'H.264' : 'H.265', media.profile, media.width !== null && `${media.width} × ${media.height}`, media.fps !== null && `${Math.round(media.fps)} fps`,
    report.gopMs !== null && `keyframe every ${(report.gopMs / 1000).toFixed(1)} s`, media.audio ? `audio ${media.audio.codec}` : 'no audio', report.bFrames && 'B-frames'].filter(Boolean).join(' · ');
  return (
    <>
      {picture ? <img class="probe-picture" src={`data:image/jpeg;base64,${picture.jpeg}`} width={picture.width} height={picture.height} alt="What the camera shows" /> : media && <p class="muted">No picture could be decoded while it played.</p>}
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
  if (error instanceof SubProblem) return { sub: error.message };
  if (!(error instanceof ApiError)) return { form: messageOf(error) };
  const address = refusedAddress(error);
  if (address !== null) return { [address]: error.message };
  const byField = fieldErrors(error, { sub: 'The address', url: 'The address', name: 'The name' });
  if (Object.keys(byField).length > 0) return byField;
  const aboutUrl = error.code === 'LOOKOUT_PROBE_FAILED' || error.code === 'LOOKOUT_UNSUPPORTED_MEDIA';
  return aboutUrl ? { url: error.message } : { form: error.message };
}
