import { Blog } from './Blog.js';
import { User } from './User.js';

/** The functions of a service by name. What the arguments are, its caller decides. */
export type Service = Readonly<Record<string, (...params: never[]) => unknown>>;

/** What can be called from outside. Workerman's original looks for a file of the name that the client sent; we do not. */
export const services: ReadonlyMap<string, Service> = new Map(Object.entries({ User, Blog }));
