/**
 * Who may do what: every route, every event of Socket.IO and every gRPC call with the role it needs. Sockets and gRPC read
 * it; routes name their role where they are made, and a test holds both equal, so that nothing can be missing here.
 */
import type { Role } from '../store/types.ts';

/** What a call asks for: a role, nobody in particular, or the secret of other programs of the installation. */
export type RouteRole = Role | 'public' | 'internal';

/** Routes as OpenAPI writes them. */
export const routeRoles = {
  'GET /api/v1/cameras': 'viewer',
  'POST /api/v1/cameras': 'admin',
  'GET /api/v1/cameras/{id}': 'viewer',
  'PATCH /api/v1/cameras/{id}': 'admin',
  'DELETE /api/v1/cameras/{id}': 'admin',
  'POST /api/v1/cameras/{id}/start': 'operator',
  'POST /api/v1/cameras/{id}/stop': 'operator',
  'POST /api/v1/cameras/{id}/restart': 'operator',
  'POST /api/v1/cameras/{id}/retry': 'operator',
  'GET /api/v1/cameras/{id}/events': 'viewer',
  'GET /api/v1/cameras/{id}/events/{seq}/recording': 'viewer',
  'GET /api/v1/cameras/{id}/explanation': 'viewer',
  'GET /api/v1/cameras/{id}/availability': 'viewer',
  'GET /api/v1/cameras/{id}/trends': 'viewer',
  'GET /api/v1/trends': 'viewer',
  'GET /api/v1/events': 'viewer',
  'GET /api/v1/incidents': 'viewer',
  'POST /api/v1/cameras/{id}/faults': 'admin',
  'GET /api/v1/cameras/{id}/snapshot.jpg': 'viewer',
  'GET /api/v1/cameras/{id}/frames': 'viewer',
  'GET /api/v1/cameras/{id}/packets': 'viewer',
  'POST /api/v1/cameras/{id}/links': 'operator',
  'GET /api/v1/recordings': 'viewer',
  'GET /api/v1/recordings/{id}': 'viewer',
  'DELETE /api/v1/recordings/{id}': 'admin',
  'GET /api/v1/recordings/{id}/file': 'viewer',
  'GET /api/v1/exports': 'viewer',
  'POST /api/v1/exports': 'operator',
  'GET /api/v1/exports/{id}': 'viewer',
  'DELETE /api/v1/exports/{id}': 'operator',
  'GET /api/v1/exports/{id}/file': 'viewer',
  'POST /api/v1/cameras/{id}/recording/start': 'operator',
  'POST /api/v1/cameras/{id}/recording/stop': 'operator',
  'POST /api/v1/probe': 'operator',
  'GET /api/v1/sfu': 'viewer',
  'POST /api/v1/session': 'public',
  'GET /api/v1/session': 'viewer',
  'DELETE /api/v1/session': 'viewer',
  'GET /api/v1/tokens': 'admin',
  'POST /api/v1/tokens': 'admin',
  'DELETE /api/v1/tokens/{id}': 'admin',
  'GET /hls/{camera}/index.m3u8': 'viewer',
  'GET /hls/{camera}/{session}/{segment}': 'viewer',
  'GET /hls/{camera}/recorded.m3u8': 'viewer',
  'GET /hls/{camera}/recorded/{recording}/{segment}': 'viewer',
  'OPTIONS /whep/{camera}': 'public',
  'POST /whep/{camera}': 'viewer',
  'DELETE /whep/{camera}/{session}': 'viewer',
  'PATCH /whep/{camera}/{session}': 'viewer',
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'viewer',
  'GET /stats': 'internal',
} as const satisfies Record<string, RouteRole>;

/** Connecting to a namespace, and every event of a client on it. */
export const socketRoles = {
  '/status': 'viewer',
  '/viewer': 'viewer',
  '/viewer join': 'viewer',
  '/viewer transport': 'viewer',
  '/viewer connectTransport': 'viewer',
  '/viewer consume': 'viewer',
  '/viewer resume': 'viewer',
  '/viewer pause': 'viewer',
  '/viewer tookOver': 'viewer',
  '/viewer leave': 'viewer',
  '/viewer firstFrame': 'viewer',
  '/inspect': 'admin',
  '/inspect watch': 'admin',
  '/inspect sequence': 'admin',
  '/inspect send': 'admin',
} as const satisfies Record<string, Role>;

/** Calls of gRPC, as `service/Call`. Health and reflection hold no data of this installation. */
export const grpcRoles = {
  'vms.media.v1.MediaPlane/SetupStream': 'admin',
  'vms.media.v1.MediaPlane/TeardownStream': 'admin',
  'vms.media.v1.MediaPlane/GetStream': 'viewer',
  'vms.media.v1.MediaPlane/ListStreams': 'viewer',
  'vms.media.v1.MediaPlane/WatchStreams': 'viewer',
  'grpc.health.v1.Health/Check': 'public',
  'grpc.health.v1.Health/Watch': 'public',
  'grpc.health.v1.Health/List': 'public',
  'grpc.reflection.v1.ServerReflection/ServerReflectionInfo': 'public',
  'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': 'public',
} as const satisfies Record<string, Role | 'public'>;
