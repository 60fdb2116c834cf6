import type { Service } from './index.js';

/** Users, as far as an example has any. Functions may be async. */
export const User: Service = {
  getInfoByUid(uid: unknown) {
    return { uid, name: 'test', age: 18, sex: 'hmm..' };
  },

  getEmail(_uid: unknown) {
    return 'someone@example.com';
  },
};
