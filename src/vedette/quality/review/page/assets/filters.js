// Which frames one looks at: by camera, reason, class and model. The address of the page says so, too.
import { ask } from "./talk.js";

export const DIMENSIONS = ["camera", "reason", "class", "model"];
export const nothing = () => Object.fromEntries(DIMENSIONS.map((by) => [by, []]));

export const filters = {
  readAddress() {
    const said = new URLSearchParams(location.search);
    this.only = Object.fromEntries(DIMENSIONS.map((by) => [by, said.getAll(by).filter(Boolean).slice(0, 100)]));
  },

  writeAddress() {
    const address = new URL(location.href);
    for (const by of DIMENSIONS) {
      address.searchParams.delete(by);
      for (const value of this.only[by]) address.searchParams.append(by, value);
    }
    history.replaceState(history.state, "", address);
  },

  // At once: what is typed meanwhile must not judge the picture.
  async openFilters() {
    await this.open("filters");
    try {
      this.facets = await ask(`${this.base}/api/facets`);
    } catch (error) {
      this.say(`What there is to choose from cannot be had: ${error.message}`, true);
    }
  },

  addFilter(key) {
    const [by, value] = JSON.parse(key);
    return this.limit({ ...this.only, [by]: [...this.only[by], value] });
  },

  dropFilter({ by, value }) {
    return this.limit({ ...this.only, [by]: this.only[by].filter((each) => each !== value) });
  },

  async dropFilters() {
    if (!this.limits.length) return this.say("All frames are shown.");
    await this.limit(nothing());
    this.say("All frames again.");
  },

  // What was said without saving stays with this tab, and comes back with its picture.
  async limit(only) {
    if (this.saving) return;
    this.stopClock();
    this.only = only;
    this.writeAddress();
    await this.asking;
    this.entries = this.entries.filter((look) => look.state !== null);
    this.index = this.entries.length;
    try {
      await this.more(2);
      await this.show(this.index);
    } catch (error) {
      this.say(`The next picture cannot be had: ${error.message}`, true);
    }
    if (this.panel === "filters") this.$refs.filter?.focus();
    this.tellProgress();
  },
};
