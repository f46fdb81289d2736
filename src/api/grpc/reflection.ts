/**
 * Server reflection, `v1` and `v1alpha`, from what protoc made of the `.proto` files (`descriptors.binpb`; a test keeps it equal).
 * By hand: `@grpc/reflection` 1.0.4 answers with files that lack their imports, which other languages cannot build.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status, type Server, type ServerDuplexStream } from '@grpc/grpc-js';
import { loadSync, type MessageTypeDefinition, type ServiceDefinition } from '@grpc/proto-loader';
import type { Message } from './messages.ts';

type Named = { name: string };
type MessageProto = Named & { nestedType?: MessageProto[]; enumType?: Named[] };
type FileProto = Named & { package?: string; dependency?: string[]; messageType?: MessageProto[]; enumType?: Named[]; service?: (Named & { method?: Named[] })[] };
type File = { bytes: Buffer; proto: FileProto };
type Request = { fileByFilename?: string; fileContainingSymbol?: string; listServices?: string };

const versions = ['v1', 'v1alpha'];

/** Adds both versions to a server; their messages are the same on the wire. */
export function serveReflection(server: Server): void {
  const definitions = loadSync('reflection.proto', { oneofs: true, includeDirs: [import.meta.dirname] });
  const service = definitions['grpc.reflection.v1.ServerReflection'] as ServiceDefinition;
  const answer = createAnswers();
  const ServerReflectionInfo = (call: ServerDuplexStream<Message, Message>): void => {
    call.on('data', (request: Message) => {
      const open = call.write({ originalRequest: request, ...answer(request as Request) });
      // A client that asks without reading waits.
      if (open) return;
      call.pause();
      call.once('drain', () => call.resume());
    });
    call.on('end', () => call.end());
  };
  for (const version of versions) {
    const { ServerReflectionInfo: method } = service;
    if (method === undefined) throw new Error('reflection.proto lacks its call');
    server.addService({ ServerReflectionInfo: { ...method, path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo` } }, { ServerReflectionInfo });
  }
}

function createAnswers(): (request: Request) => Message {
  const files = new Map(readFiles().map((file) => [file.proto.name, file]));
  const symbols = new Map([...files.values()].flatMap((file) => symbolsOf(file.proto).map((symbol) => [symbol, file] as const)));
  const services = [...files.values()].flatMap(({ proto }) => (proto.service ?? []).map(({ name }) => `${proto.package}.${name}`));
  const withImports = (file: File, seen = new Map<string, File>()): Map<string, File> => {
    if (seen.has(file.proto.name)) return seen;
    seen.set(file.proto.name, file);
    for (const name of file.proto.dependency ?? []) {
      const imported = files.get(name);
      if (imported !== undefined) withImports(imported, seen);
    }
    return seen;
  };
  const found = (file: File | undefined, what: string): Message => (file === undefined
    ? { errorResponse: { errorCode: status.NOT_FOUND, errorMessage: `There is no ${what}.` } }
    : { fileDescriptorResponse: { fileDescriptorProto: [...withImports(file).values()].map(({ bytes }) => bytes) } });
  return ({ fileByFilename, fileContainingSymbol, listServices }) => {
    if (fileByFilename !== undefined) return found(files.get(fileByFilename), 'such file');
    if (fileContainingSymbol !== undefined) return found(symbols.get(fileContainingSymbol), 'such symbol');
    if (listServices !== undefined) return { listServicesResponse: { service: [...services, 'grpc.reflection.v1alpha.ServerReflection'].toSorted().map((name) => ({ name })) } };
    return found(undefined, 'extension of anything');
  };
}

/** Full names of what a file declares. */
function symbolsOf(file: FileProto): string[] {
  const scope = file.package ?? '';
  const ofMessages = (messages: MessageProto[], prefix: string): string[] => messages.flatMap(({ name, nestedType = [], enumType = [] }) => {
    const full = `${prefix}.${name}`;
    return [full, ...ofMessages(nestedType, full), ...enumType.map((entry) => `${full}.${entry.name}`)];
  });
  return [
    ...ofMessages(file.messageType ?? [], scope),
    ...(file.enumType ?? []).map(({ name }) => `${scope}.${name}`),
    ...(file.service ?? []).flatMap(({ name, method = [] }) => [`${scope}.${name}`, ...method.map((entry) => `${scope}.${name}.${entry.name}`)]),
  ];
}

/** A FileDescriptorSet is nothing but its files one after the other: tag 10, length, bytes. They are kept as protoc wrote them. */
function readFiles(): File[] {
  const { 'google.protobuf.FileDescriptorProto': type } = loadSync('google/protobuf/descriptor.proto', {});
  const set = readFileSync(join(import.meta.dirname, 'descriptors.binpb'));
  const files: File[] = [];
  for (let at = 0; at < set.length;) {
    let length = 0;
    let shift = 0;
    at += 1;
    for (let more = true; more; shift += 7, at += 1) {
      const byte = set[at] ?? 0;
      length |= (byte & 0x7f) << shift;
      more = byte > 0x7f;
    }
    const bytes = set.subarray(at, at + length);
    files.push({ bytes, proto: (type as MessageTypeDefinition<object, object>).deserialize(bytes) as FileProto });
    at += length;
  }
  return files;
}
