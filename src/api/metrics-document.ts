/** `docs/metrics.md`, made from the metrics themselves; a test keeps the file equal. */
import type { Metrics } from './metrics.ts';

const defaults = /^vms_media_(process|nodejs)_/u;

/** The whole page. */
export function metricsDocument(metrics: Pick<Metrics, 'list'>): string {
  const all = metrics.list();
  const rows = all.filter(({ name }) => !defaults.test(name)).map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ') || '–'} | ${help} |`);
  const ofProcess = all.filter(({ name }) => defaults.test(name)).map(({ name }) => `\`${name}\``);
  return `# Metrics

\`GET /metrics\` (role viewer, bearer token), and on \`metrics.port\` without login where it is configured. Values are read from
the supervisor when they are asked for; the series of a removed camera disappear with it. There is never a label per viewer.
This page is made from the program.

| metric | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

Of the supervisor process: ${ofProcess.join(', ')}.

## Alarms worth having

\`\`\`yaml
- alert: CameraDown
  expr: vms_media_camera_state{state=~"backoff|connecting|quarantined"} == 1
  for: 2m
- alert: CameraQuarantined
  expr: vms_media_camera_state{state="quarantined"} == 1
- alert: CameraFlapping
  expr: sum by (camera) (increase(vms_media_camera_restarts_total[15m])) > 5
- alert: PicturesOld
  expr: vms_media_camera_last_packet_age_seconds > 5 and on (camera) vms_media_camera_state{state="streaming"} == 1
- alert: PacketsLostInside
  expr: rate(vms_media_ingest_packets_lost_total[5m]) > 0
- alert: RecordingFails
  expr: vms_media_output_state{output="record",state="backoff"} == 1
  for: 1m
- alert: Orphans
  expr: vms_media_orphans > 0
  for: 1m
- alert: StoreDown
  expr: vms_media_store_up == 0
\`\`\`
`;
}
