/** The `.proto` files follow the rules that buf's standard lint asks for (buf itself is not in Debian), and offer what REST offers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CameraInput } from '../../../src/camera-config.ts';
import { temporaryDir } from '../../support/api.ts';
import { root } from '../../support/source-files.ts';

const text = readFileSync(join(root, 'src/api/grpc/media_plane.proto'), 'utf8');
const lines = text.split('\n').map((line) => line.trim());

/** `message Name` → its own lines, nested ones left out. */
function bodies(kind: 'message' | 'enum' | 'service'): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const match of text.matchAll(new RegExp(`^${kind} (\\w+) \\{\\n([\\s\\S]*?)^\\}`, 'gmu'))) found.set(match[1] ?? '', (match[2] ?? '').split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('//')));
  return found;
}

const messages = bodies('message');
const enums = bodies('enum');
const fieldsOf = (name: string) => (messages.get(name) ?? []).flatMap((line) => {
  const match = /^(?:optional |repeated )?([\w.<>, ]+?) (\w+) = (\d+);$/u.exec(line);
  return match === null ? [] : [{ type: match[1] ?? '', name: match[2] ?? '', number: Number(match[3]) }];
});
const pascal = /^(?:[A-Z][a-z0-9]+)+$/u;

describe('media_plane.proto', () => {
  it('compiles without a warning', () => {
    const told = execFileSync('protoc', ['-I', join(root, 'src/api/grpc'), '--descriptor_set_out=/dev/null', 'media_plane.proto', 'rpc_status.proto', 'reflection.proto'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    assert.equal(told, '');
  });

  it('is what reflection answers with: descriptors.binpb is what protoc makes of it', async (t) => {
    const set = join(await temporaryDir(t), 'set.binpb');
    execFileSync('protoc', ['-I', join(root, 'src/api/grpc'), '-I', join(root, 'node_modules/grpc-health-check/proto'), '--include_imports', `--descriptor_set_out=${set}`, 'media_plane.proto', 'reflection.proto', 'health/v1/health.proto']);
    const made = readFileSync(set);
    const file = join(root, 'src/api/grpc/descriptors.binpb');
    if (process.env['LOOKOUT_WRITE_DOCS'] === '1') writeFileSync(file, made);
    assert.ok(readFileSync(file).equals(made), 'run again with LOOKOUT_WRITE_DOCS=1');
  });

  it('is proto3 in a versioned package in lower snake case', () => {
    assert.ok(lines.includes('syntax = "proto3";'));
    assert.match(text, /^package [a-z]+(?:\.[a-z_]+)*\.v\d+;$/mu);
  });

  it('has a comment in front of every service, call, message, enumeration, field and value', () => {
    const declares = /^(?:service|rpc|message|enum|oneof) |^(?:optional |repeated )?[\w.<>, ]+ \w+ = \d+;|^[A-Z_]+ = \d+;/u;
    assert.deepEqual(lines.filter((line, n) => declares.test(line) && !(lines[n - 1] ?? '').startsWith('//')), []);
    assert.deepEqual(lines.filter((line) => line.startsWith('//') && line.length > 2 && !/^\/\/ \S/u.test(line)), []);
  });

  it('names messages, enumerations and calls in PascalCase, fields in lower_snake_case', () => {
    for (const name of [...messages.keys(), ...enums.keys()]) assert.match(name, pascal);
    for (const name of messages.keys()) for (const field of fieldsOf(name)) assert.match(field.name, /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/u, `${name}.${field.name}`);
  });

  it('numbers fields from 1 without a gap, so that none was taken away', () => {
    for (const name of messages.keys()) assert.deepEqual(fieldsOf(name).map(({ number }) => number), fieldsOf(name).map((_, n) => n + 1), name);
  });

  it('begins every enumeration with an unspecified zero, and every value with the name of its enumeration', () => {
    assert.ok(enums.size > 0);
    for (const [name, body] of enums) {
      const prefix = `${name.replace(/(?<=[a-z0-9])(?=[A-Z])/gu, '_').toUpperCase()}_`;
      assert.equal(body[0], `${prefix}UNSPECIFIED = 0;`);
      for (const value of body) assert.ok(value.startsWith(prefix), value);
    }
  });

  it('gives every call a request and a response of its own, named after it; the service ends in no digit', () => {
    const calls = [...text.matchAll(/^ {2}rpc (\w+)\((\w+)\) returns \((?:stream )?(\w+)\);$/gmu)].map(([, ...names]) => names);
    assert.deepEqual(calls.map(([name]) => name), ['SetupStream', 'TeardownStream', 'GetStream', 'ListStreams', 'WatchStreams']);
    for (const [name, request, response] of calls) assert.deepEqual([request, response], [`${name}Request`, `${name}Response`]);
  });

  it('lets SetupStream ask for every setting of a camera that REST has', () => {
    const snake = (key: string) => key.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
    const compare = (message: string, schema: object): void => {
      const properties = (schema as { properties: Record<string, object> }).properties;
      const fields = fieldsOf(message);
      assert.deepEqual(fields.map(({ name }) => name).toSorted(), Object.keys(properties).map(snake).toSorted(), message);
      for (const [key, child] of Object.entries(properties)) if ('properties' in child) compare(fields.find(({ name }) => name === snake(key))?.type ?? '', child);
    };
    compare('SetupStreamRequest', CameraInput);
  });
});
