import { mongo } from 'mongoose';
import { noteInFile, watchClients } from './command-concerns.cjs';

// Before a test file opens its first connection. The processes that it starts are watched by a file that is preloaded.
watchClients(mongo.MongoClient, noteInFile(expect.getState().testPath ?? ''));
