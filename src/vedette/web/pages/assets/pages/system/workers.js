// The node's processes, how each's memory goes on, and putting another in its place.
import { bytes, Confirm, count, DASH, duration, may, order, percent, plain, say } from "vedette-pages";

export const Workers = {
  components: { VdConfirm: Confirm },
  props: { workers: Array, memory: Array },
  emits: ["changed"],
  template: `
<section class="vd-panel" aria-labelledby="sys-workers"><header><h2 id="sys-workers">Workers</h2></header>
  <div class="vd-scrolls" tabindex="0" role="group" aria-label="Workers"><table class="vd-plain"><thead><tr><th scope="col">Worker</th><th scope="col" class="vd-num">Cameras</th><th scope="col" class="vd-num">Busy</th><th scope="col" class="vd-num">Memory</th><th scope="col">Growth</th><th scope="col">Replaced</th><th scope="col" class="vd-num">Deaths</th><th scope="col"><span class="vd-unseen">Actions</span></th></tr></thead>
    <tbody><tr v-for="each in workers" :key="each.name"><th scope="row"><b>{{ each.name }}</b> <small class="vd-dim">{{ each.kind === "camera" ? "reads cameras" : "detects" }}<template v-if="each.pid">, pid {{ each.pid }}</template></small><b v-if="each.quarantined" class="sys-bad"><br>in quarantine: it died too often</b></th>
      <td class="vd-num">{{ each.kind === "camera" ? count(each.cameras) : "" }}</td><td class="vd-num">{{ percent(each.busy) }}</td><td class="vd-num">{{ each.usage ? bytes(each.usage.pss) : dash }}</td><td><b v-for="(by, what) in each.leaks" :key="what" class="sys-bad">leaks {{ plain(what) }} </b>{{ growth(each.name) }}</td><td>{{ reasons(each.replacements) }}</td><td class="vd-num" :class="{ 'sys-bad': each.deaths }">{{ count(each.deaths) }}</td>
      <td class="vd-num"><button v-if="may('operator')" type="button" class="vd-quiet" :disabled="busy === each.name" :aria-label="'Recycle ' + each.name" @click="asked = each.name">Recycle…</button></td></tr></tbody></table></div>
  <p v-if="!workers.length" class="vd-dim">No worker is told of.</p>
  <vd-confirm v-if="asked" :title="'Recycle ' + asked + '?'" does="Recycle" @close="asked = ''" @yes="recycle(asked)"><p>Another process is put in its place. The old one works until the new one does; nothing is lost.</p></vd-confirm>
</section>`,
  data: () => ({ asked: "", busy: "", dash: DASH }),
  methods: {
    bytes, count, may, percent, plain,
    reasons: (replacements) => Object.entries(replacements).map(([why, many]) => `${many} × ${plain(why)}`).join(", "),
    growth(name) {
      const found = this.memory.find((each) => each.worker === name);
      if (!found) return "";
      if (!found.sure) return found.over_s < 300 ? "measured for too short a time" : "none for sure";
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
