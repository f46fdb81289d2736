/** A self-signed certificate for 127.0.0.1 and localhost, valid until 2126: for simulated cameras that speak rtsps. Protects nothing. */
import { X509Certificate } from 'node:crypto';

/** To be given to `startSimulator({ tls: testCertificate })`. */
export const testCertificate = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgah8n2pftpSKY3Ir1
LBdkJbVSyPziKjD1oP4MPC2bfU2hRANCAAS9F3MEWhE4/NY3VPVBIHbikTzPv5DO
5I4kCQW3Fri1VYp8KFfv5NLRrDWSc+c+yEX0v4BVZrPjotDiRgDCxKBP
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBqDCCAU2gAwIBAgIUAUkCgCziLgQLyMPjwtBIzUQpIsAwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPY2FtZXJhLXNpbSB0ZXN0MCAXDTI2MTEyMjEyNDQxNVoYDzIx
MjYxMDI5MTI0NDE1WjAaMRgwFgYDVQQDDA9jYW1lcmEtc2ltIHRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAS9F3MEWhE4/NY3VPVBIHbikTzPv5DO5I4kCQW3
Fri1VYp8KFfv5NLRrDWSc+c+yEX0v4BVZrPjotDiRgDCxKBPo28wbTAdBgNVHQ4E
FgQUIHkf2w7JxILXO2MrFCWy5Xb5SE0wHwYDVR0jBBgwFoAUIHkf2w7JxILXO2Mr
FCWy5Xb5SE0wDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2Nh
bGhvc3QwCgYIKoZIzj0EAwIDSQAwRgIhAOT5P0jPB3nFdDnCu15s859r5WuqYZP2
J332ko6cJOHAAiEA6PC/QMRriPQeKmj6X2YQy/wsNSnkIbt9q9EvHFKBri8=
-----END CERTIFICATE-----
`,
};

/** Its SHA-256 fingerprint, as a camera's `tls.fingerprint` takes it. */
export const testFingerprint = new X509Certificate(testCertificate.cert).fingerprint256;
