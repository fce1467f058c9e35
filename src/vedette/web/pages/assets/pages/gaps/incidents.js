// Cameras that went together: told above all gaps, because one thing explains many.
import { cameraHref, clock, duration, exact, plain, plural } from "vedette-pages";

const SHOWN = 4, NAMES = 6;
const SHARED = { host: "at the same address", subnet: "in the same network", worker: "read by the same worker" };

// scope: "host 10.0.0.5", "subnet 10.0.0.0/24", "worker cameras-0".
function shared({ scope }) {
  const [kind, ...name] = scope.split(" ");
  return SHARED[kind] ? `${SHARED[kind]}, ${name.join(" ")}` : plain(scope);
}

export const Incidents = {
  props: { incidents: Array, total: Number, now: Number },
  template: `
<section class="vd-panel gap-incidents" aria-labelledby="gap-incidents"><header><h2 id="gap-incidents">What they have in common</h2><span class="vd-dim vd-small">{{ plural(total, "incident") }}</span></header>
  <ul><li v-for="each in shown" :key="each.id"><b :class="{ 'gap-open': each.end === null }">{{ plural(each.cameras.length, "camera") }}: {{ each.words }}</b>
    <span class="vd-dim">{{ shared(each) }}</span>
    <span :title="exact(each.start)">{{ clock(each.start) }}, {{ each.end === null ? "still open, " : "" }}{{ duration(each.seconds) }}</span>
    <span class="gap-names"><a v-for="name in each.cameras.slice(0, names)" :key="name" :href="cameraHref(name)">{{ name }}</a><span v-if="each.cameras.length > names" class="vd-dim">and {{ each.cameras.length - names }} more</span></span></li></ul>
  <button v-if="incidents.length > few" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + incidents.length }}</button>
</section>`,
  data: () => ({ all: false, few: SHOWN, names: NAMES }),
  computed: { shown() { return this.all ? this.incidents : this.incidents.slice(0, SHOWN); } },
  methods: { cameraHref, clock, duration, exact, plural, shared },
};
