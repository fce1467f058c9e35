// What is wrong, the worst first.
import { cameraHref, For, href, node, plural } from "vedette-pages";
import { withoutBlame, worst } from "./headline.js";

const AT_FIRST = 4;
const MARKS = { error: ["blind", "vd-bad", "wrong"], warning: ["degraded", "vd-poor", "warning"], info: ["seen", "vd-soon", "note"] };

export const Problems = {
  components: { VdFor: For },
  props: { problems: Array, total: Number },
  template: `
<section v-if="problems.length" class="vd-panel fleet-problems" aria-labelledby="fleet-wrong">
  <header><h2 id="fleet-wrong">What is wrong</h2><span class="vd-dim">{{ total }}</span></header>
  <ul>
    <li v-for="each in shown" :key="each.kind + (each.camera ?? each.worker ?? '') + each.what" :class="mark(each)[1]">
      <svg viewBox="0 0 16 16" aria-hidden="true"><path :d="shape(each)"/></svg>
      <div>
        <p><span class="vd-unseen">{{ mark(each)[2] }}: </span><a v-if="each.camera" :href="link(each)"><b>{{ each.what }}</b></a><a v-else-if="each.worker" :href="system"><b>{{ each.what }}</b></a><b v-else>{{ each.what }}</b></p>
        <p v-if="each.cameras?.length" class="vd-dim fleet-those"><a v-for="name in each.cameras.slice(0, 8)" :key="name" :href="to(name)">{{ name }}</a><span v-if="each.cameras.length > 8">and {{ each.cameras.length - 8 }} more</span></p>
        <p v-if="because(each)" class="vd-dim">{{ because(each) }}</p>
      </div>
      <div class="fleet-done"><p v-if="each.doing">{{ large(each.doing) }}</p><p v-if="each.advice" class="vd-dim">{{ each.advice }}</p></div>
      <span class="fleet-for"><vd-for :since="each.since"/></span>
    </li>
  </ul>
  <button v-if="problems.length > 4" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + problems.length }}</button>
  <span v-if="all && total > problems.length" class="vd-dim"> {{ total - problems.length }} more are not listed; the table has them.</span>
</section>`,
  data: () => ({ all: false }),
  setup: () => ({ node, system: href("/system") }),
  computed: {
    shown() { return this.all ? worst(this.problems) : worst(this.problems).slice(0, AT_FIRST); },
  },
  methods: {
    plural,
    mark: (each) => MARKS[each.severity] ?? MARKS.info,
    link: (each) => href(cameraHref(each.camera)),
    to: (name) => href(cameraHref(name)),
    // What the headline of it does not say already.
    because(each) {
      const why = withoutBlame(each.why);
      const whose = /\(whose doing: (.*)\)$/.exec(each.why)?.[1];
      return [why && !each.what.includes(why) ? why : "", whose ? `whose doing: ${whose}` : ""].filter(Boolean).join(" · ");
    },
    large: (words) => words[0].toUpperCase() + words.slice(1),
    shape: (each) => ({ error: "M8 1 15 8 8 15 1 8Z M5.4 5.4 10.6 10.6 M10.6 5.4 5.4 10.6", warning: "M8 1.5 15 14H1Z M8 6v4 M8 12v.2" })[each.severity] ?? "M8 2a6 6 0 1 0 .01 0Z M8 7.5V11 M8 5v.2",
  },
};
