/** What the stores need to know of `Session`, in a place of its own because `Session` brings the stores along. */
export const sessionSettings: { lifetime: number } = {
  /** Seconds without a write after which what is stored is dead. */
  lifetime: 1440,
};
