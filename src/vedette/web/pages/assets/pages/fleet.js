// Is anything wrong, since when, why, and what is being done.
import { node } from "vedette-pages";

export default {
  template: `<h1>{{ node.name }}</h1>`,
  setup: () => ({ node }),
};
