import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// What a finished file leaves is garbage, which V8 keeps until it needs the memory: the process would grow with each file.
setFlagsFromString('--expose-gc');
afterAll(runInNewContext('gc') as () => void);
