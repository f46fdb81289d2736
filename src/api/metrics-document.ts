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

## Alerts and dashboard

\`\`\`yaml
# prometheus.yml
rule_files: [lookout.rules.yaml]   # deploy/prometheus/lookout.rules.yaml
scrape_configs:
  - job_name: lookout
    authorization: {credentials_file: /etc/prometheus/lookout.token}   # a token of role viewer, all cameras
    static_configs: [{targets: ['127.0.0.1:8085']}]
\`\`\`

- [lookout.rules.yaml](../deploy/prometheus/lookout.rules.yaml): one rule for each thing that somebody has to know. What to do
  about it is in [failures.md](failures.md#alerts), which \`runbook_url\` names relative to this repository. \`severity\` is \`page\` or
  \`ticket\`. \`LookoutAway\` fires when no Lookout answers; with several, watch Prometheus' own \`up\` for each. The space on a
  disk is no metric of Lookout: watch it where you watch the machine's other disks.
- [lookout.json](../deploy/grafana/lookout.json): a Grafana dashboard with variables for data source and camera. Import it
  (Dashboards, New, Import), or put it into a directory that a file provider of Grafana's provisioning reads.

A test holds both against the metrics of a running program, and asks promtool (Debian's prometheus) where it is installed.
`;
}
