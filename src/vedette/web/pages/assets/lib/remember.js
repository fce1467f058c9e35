// What this browser remembers of whoever sits before it.
export const remembered = {
  get(name, otherwise = null) {
    try {
      return JSON.parse(localStorage.getItem(`vedette-${name}`)) ?? otherwise;
    } catch {
      return otherwise;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`vedette-${name}`, JSON.stringify(value));
    } catch {
      // private windows may refuse
    }
  },
};
