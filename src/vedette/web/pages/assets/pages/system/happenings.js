// What was told of cameras and workers, by level and by words.
import { ask, cameraHref, clock, count, exact, here, matching, poll, setQuery } from "vedette-pages";

const LEVELS = [["", "all"], ["warning", "warnings"], ["error", "errors"]];
const RANK = { debug: 0, info: 1, warning: 2, error: 3, critical: 4 };
const KEPT = 2000, SHOWN = 200, EVERY_MS = 3000;

export const Happenings = {
  template: `
<section class="vd-panel" aria-labelledby="sys-happened"><header><h2 id="sys-happened">What happened</h2><div class="vd-row"><div class="vd-segments" role="group" aria-label="Level"><button v-for="[level, name] in levels" :key="level" type="button" :aria-pressed="(here.query.level ?? '') === level" @click="setQuery({ level })">{{ name }}</button></div><input class="sys-find" type="search" aria-label="Filter what happened" placeholder="Filter" :value="here.query.q" @input="setQuery({ q: $event.target.value })"></div></header>
  <ol v-if="shown.length" class="sys-told" tabindex="0" aria-label="What happened"><li v-for="each in shown" :key="each.number"><time :title="exact(each.at)">{{ clock(each.at) }}</time><b :class="'sys-' + each.level">{{ each.level }}</b><span><a v-if="each.camera" :href="cameraHref(each.camera)">{{ each.camera }}</a>{{ rest(each) }}</span></li></ol>
  <p v-else class="vd-dim">{{ asked ? "Nothing as asked for since the node began." : "Asking…" }}</p><p v-if="missed" class="vd-dim vd-small">{{ count(missed) }} older ones are not kept.</p>
</section>`,
  data: () => ({ happened: [], asked: false, missed: 0, levels: LEVELS }),
  setup: () => ({ here }),
  computed: {
    shown() {
      const least = RANK[here.query.level] ?? 0;
      const found = this.happened.filter((each) => (RANK[each.level] ?? 1) >= least);
      return matching(found, here.query.q ?? "", (each) => `${each.text} ${each.kind} ${each.camera} ${each.worker}`).slice(-SHOWN).reverse();
    },
  },
  created() { this.last = 0; },
  mounted() {
    this.polling = poll((signal) => ask("/happenings", { query: { after: this.last }, signal }), { every: EVERY_MS, said: (said) => this.told(said) });
  },
  unmounted() { this.polling.stop(); },
  methods: {
    cameraHref, clock, count, exact, setQuery,
    // Its name is the link already.
    rest: ({ camera, text }) => (camera && text.startsWith(`${camera} `) ? text.slice(camera.length) : camera ? `: ${text}` : text),
    // A node that began anew counts from the beginning again.
    told({ happenings, last, missed }) {
      if (last < this.last) this.happened = [];
      this.last = last;
      Object.assign(this, { asked: true, missed });
      if (happenings.length) this.happened = [...this.happened, ...happenings].slice(-KEPT);
    },
  },
};
