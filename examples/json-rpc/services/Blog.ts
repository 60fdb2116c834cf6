import type { Service } from './index.js';

/** Blog posts, as far as an example has any. Functions may be async. */
export const Blog: Service = {
  async getTitleListByUid(_uid: unknown) {
    return [1, 2, 3, 4, 5].map((number) => `blog title ${number}`);
  },

  getByBlogId(blogId: unknown) {
    return { blog_id: blogId, title: 'remote calls', content: 'this is content ...' };
  },
};
