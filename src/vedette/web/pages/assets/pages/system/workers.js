// The node's processes, how each's memory goes on, and putting another in its place.
import { bytes, Confirm, count, DASH, duration, may, order, percent, plain, say } from "vedette-pages";

const KINDS = { camera: "reads cameras", inference: "detects", canary: "a canary", shadow: "in the shadow" };
const STEADY = new Set(["camera", "inference"]); // candidates are not replaced: they end
const FILES = ["files", "threads"];
const TOO_SHORT_S = 300;

export const Workers = {
  components: { VdConfirm: Confirm },
  props: { told: Object },
  emits: ["changed"],
  template: `
<section class="vd-panel" aria-labelledby="sys-workers"><header><h2 id="sys-workers">Workers</h2></header>
  <div class="vd-scrolls" tabindex="0" role="group" aria-label="Workers"><table class="vd-plain sys-workers"><thead><tr><th scope="col">Worker</th><th scope="col" class="vd-num">Cameras</th><th scope="col" class="vd-num">Busy</th><th scope="col" class="vd-num">Memory</th><th scope="col" class="vd-num">At most</th><th scope="col">Growth</th><th scope="col">Replaced</th><th scope="col" class="vd-num">Deaths</th><th scope="col"><span class="vd-unseen">Actions</span></th></tr></thead>
    <tbody><tr v-for="each in workers" :key="each.name"><th scope="row"><b>{{ each.name }}</b> <small class="vd-dim">{{ what(each) }}<template v-if="each.pid">, pid {{ each.pid }}</template></small><b v-if="each.quarantined" class="sys-bad"><br>in quarantine: it died too often</b></th>
      <td class="vd-num">{{ each.cameras ? count(each.cameras) : "" }}</td><td class="vd-num">{{ each.quarantined ? dash : percent(each.busy) }}</td><td class="vd-num">{{ each.usage ? bytes(each.usage.pss) : dash }}</td><td class="vd-num">{{ each.peak.pss ? bytes(each.peak.pss) : dash }}</td>
      <td class="sys-growth"><b v-for="(by, measure) in each.leaks" :key="measure" class="sys-bad">leaks {{ leak(measure, by) }}</b><span>{{ growth(each.name) }}</span></td><td>{{ reasons(each.replacements) }}</td><td class="vd-num" :class="{ 'sys-bad': each.deaths }">{{ count(each.deaths) }}</td>
      <td class="vd-num"><button v-if="steady(each) && may('operator')" type="button" class="vd-quiet" :disabled="busy === each.name" :aria-label="'Recycle ' + each.name" @click="asked = each.name">Recycle…</button></td></tr>
    <tr v-if="told?.node"><th scope="row"><b>node</b> <small class="vd-dim">hands results on, pid {{ told.node.pid }}</small></th><td class="vd-num"></td><td class="vd-num"></td><td class="vd-num">{{ bytes(told.node.pss) }}</td><td class="vd-num">{{ bytes(told.node_peak.pss) }}</td><td></td><td></td><td class="vd-num"></td><td></td></tr></tbody></table></div>
  <p v-if="told && !workers.length" class="vd-dim">No worker is told of.</p>
  <vd-confirm v-if="asked" :title="'Recycle ' + asked + '?'" does="Recycle" @close="asked = ''" @yes="recycle(asked)"><p>Another process is put in its place. The old one works until the new one does; nothing is lost.</p></vd-confirm>
</section>`,
  data: () => ({ asked: "", busy: "", dash: DASH }),
  computed: { workers() { return this.told?.workers ?? []; } },
  methods: {
    bytes, count, may, percent, plain,
    steady: ({ kind }) => STEADY.has(kind),
    what: ({ kind, model }) => [KINDS[kind] ?? plain(kind), model.split("/").at(-1)].filter(Boolean).join(": "),
    reasons: (replacements) => Object.entries(replacements).map(([why, many]) => `${many} × ${plain(why)}`).join(", "),
    leak: (measure, by) => `${plain(measure)}: ${FILES.includes(measure) ? `${by.toFixed(1)} an hour` : `${bytes(by)} an hour`}`,
    growth(name) {
      const found = this.told.memory.find((each) => each.worker === name);
      if (!found) return "";
      if (!found.sure) return found.over_s < TOO_SHORT_S ? "measured for too short a time" : "none for sure";
      const left = found.hours_left === null ? "" : `, all memory in ${duration(3600 * found.hours_left)}`;
      return `${found.mb_an_hour.toFixed(1)} MB an hour${left}`;
    },
    async recycle(name) {
      this.busy = name;
      try {
        await order(`/workers/${encodeURIComponent(name)}/recycle`, { method: "POST" });
        say(`${name} is replaced`);
      } catch (error) {
        say(`${name} is not replaced: ${error.message}`, { wrong: true });
      }
      this.busy = "";
      this.$emit("changed");
    },
  },
};
