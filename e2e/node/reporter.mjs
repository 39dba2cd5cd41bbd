// Reports each finished test as one line of JSON, for e2e/node_test.go.
import { inspect } from 'node:util';

export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite' || data.nesting > 0 || data.name.endsWith('.mjs')) continue;
    yield `${JSON.stringify({
      name: data.name, passed: type === 'test:pass', ms: data.details?.duration_ms ?? 0,
      error: type === 'test:fail' ? inspect(data.details?.error?.cause ?? data.details?.error, { depth: 6 }) : '',
    })}\n`;
  }
}
