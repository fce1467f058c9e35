// What the detector does on each camera beside what is usual there, and learning that anew.
import { markRaw } from "vue";
import { arranged, cameraHref, clock, Confirm, count, DASH, Dialog, duration, exact, may, order, percent, plain, plural, say, Table } from "vedette-pages";

const STAGES = { suspected: { rank: 0, tone: "bad", word: "suspected" }, changed: { rank: 1, tone: "poor", word: "picture changed" }, unseen: { rank: 2, tone: "poor", word: "unknown light" }, learning: { rank: 3, tone: "soon", word: "learning" }, watching: { rank: 4, tone: "good", word: "as usual" } };
const FEW = 6;
const COLUMNS = [
  { key: "camera", title: "Camera", min: 130, width: "minmax(110px, 1fr)", rank: 0 },
  { key: "stage", title: "Detector", min: 130, width: "minmax(120px, 1fr)", rank: 0 },
  { key: "signal", title: "By what", min: 220, width: "minmax(140px, 2.2fr)", rank: 1, sorts: false, text: () => "" },
  { key: "since", title: "Since", min: 118, width: "120px", rank: 3 },
  { key: "light", title: "Light now", min: 110, width: "120px", rank: 4 },
  { key: "lights", title: "Lights learnt", min: 110, width: "115px", num: true, rank: 5 },
  { key: "learnt", title: "Learnt", min: 80, width: "80px", num: true, rank: 6 },
];

const figure = (value) => (value === null || value === undefined ? DASH : Math.abs(value) < 1 ? value.toFixed(2) : value.toFixed(1));

export const Drift = {
  components: { VdTable: Table, VdDialog: Dialog, VdConfirm: Confirm },
  props: { told: Object, wrong: String },
  emits: ["changed"],
  template: `
<section class="acc-drift" aria-labelledby="acc-drift"><header class="acc-bar"><h2 id="acc-drift">Drift <span v-if="told" class="vd-dim">{{ words }}</span></h2>
    <button v-if="may('reviewer') && told?.watched" type="button" class="vd-button" @click="learning = { cameras: [], keep: false }">Learn all anew…</button></header>
  <template v-if="rows.length"><vd-table label="Drift" by="camera" :rows="shown" :columns="columns" :sort="sort" @sort="arrange" @open="(row) => (opened = row.camera)">
    <template #camera="{ row }"><a :href="cameraHref(row.camera)">{{ row.camera }}</a></template>
    <template #stage="{ row }"><span class="acc-stage" :class="'vd-' + row.tone"><i aria-hidden="true" :class="'acc-' + row.stage"></i>{{ row.word }}</span></template>
    <template #signal="{ row }"><template v-if="row.whole?.measure">{{ plain(row.whole.measure) }} {{ row.whole.direction }} <span class="vd-dim">from {{ figure(row.whole.usual) }} to {{ figure(row.whole.lately) }}</span></template></template>
    <template #since="{ row }"><span :title="row.whole?.since ? exact(row.whole.since) : null">{{ row.whole?.since ? clock(row.whole.since) : "" }}</span></template>
    <template #light="{ row }">{{ row.whole?.light ?? "" }}</template>
    <template #lights="{ row }">{{ row.lights }}</template>
    <template #learnt="{ row }">{{ row.whole ? percent(row.whole.learnt) : dash }}</template>
  </vd-table><p v-if="rows.length > few" class="acc-foot"><button type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + count(rows.length) }}</button></p></template>
  <p v-else class="vd-panel vd-dim acc-nothing">{{ !told ? wrong || "Asking…" : told.watched ? "There is no camera." : "The detector is not watched for drift on this node (drift: in its configuration)." }}</p>

  <vd-dialog v-if="one" :title="one.camera" @close="opened = ''">
    <p class="acc-stage" :class="'vd-' + one.tone"><i aria-hidden="true" :class="'acc-' + one.stage"></i><b>{{ one.said }}</b></p>
    <dl v-if="one.whole" class="vd-pairs">
      <template v-if="one.whole.measure"><dt>Measure</dt><dd>{{ plain(one.whole.measure) }}, {{ one.whole.direction }}</dd><dt>Usual</dt><dd>{{ figure(one.whole.usual) }}</dd><dt>Lately</dt><dd>{{ figure(one.whole.lately) }}</dd></template>
      <template v-if="one.whole.since"><dt>Since</dt><dd>{{ clock(one.whole.since) }}</dd></template>
      <dt>Evidence</dt><dd>told once in {{ figure(one.whole.evidence) }} camera-days by chance</dd>
      <dt>Suspicions</dt><dd>{{ count(one.whole.suspicions) }} since the start</dd>
      <dt>Learnt</dt><dd>{{ percent(one.whole.learnt) }}<template v-if="one.whole.missing_s > 0">; {{ duration(one.whole.missing_s) }} of watching missing</template></dd>
      <dt>Light now</dt><dd>{{ one.whole.light || dash }}</dd>
      <dt>Lights known</dt><dd class="acc-lights"><span v-for="[light, hours] in entries(one.whole.lights)" :key="light">{{ light }} <span class="vd-dim">{{ figure(hours) }} h</span></span><span v-if="!entries(one.whole.lights).length" class="vd-dim">none yet</span></dd>
      <template v-if="entries(one.whole.unknown).length"><dt>Not known yet</dt><dd class="acc-lights"><span v-for="[light, hours] in entries(one.whole.unknown)" :key="light">{{ light }} <span class="vd-dim">{{ figure(hours) }} h</span></span></dd></template>
    </dl>
    <p v-else class="vd-dim">Nothing was seen of it yet.</p>
    <footer v-if="may('reviewer') && told.watched"><button type="button" class="vd-button" @click="learn([one.camera], true)">Learn what is missing</button><button type="button" class="vd-button vd-danger" @click="learning = { cameras: [one.camera], keep: false }">Learn anew…</button></footer>
  </vd-dialog>
  <vd-confirm v-if="learning" :title="learning.cameras.length ? 'Learn ' + learning.cameras[0] + ' anew?' : 'Learn all cameras anew?'" does="Learn anew" wrong @close="learning = null" @yes="learn(learning.cameras, false)">
    <p>What is usual for {{ learning.cameras.length ? "it" : "every camera" }} is forgotten and learnt from what is seen from now on. Until then no loss can be suspected.</p>
    <p>Do so where something has changed for good, and is as it should be.</p></vd-confirm>
</section>`,
  data: () => ({ all: false, opened: "", learning: null, few: FEW, dash: DASH, sort: { by: "stage", backwards: false }, columns: COLUMNS }),
  computed: {
    rows() {
      return markRaw((this.told?.cameras ?? []).map((row) => {
        const stage = row.whole?.stage ?? "none", how = STAGES[stage] ?? { rank: 5, tone: "off", word: "nothing yet" };
        return { ...row, stage, rank: how.rank, tone: how.tone, word: row.word && stage === "learning" ? row.word : how.word, said: row.why || row.word || how.word, lights: Object.keys(row.whole?.lights ?? {}).length };
      }));
    },
    arranged() {
      const value = { stage: (row) => row.rank, camera: (row) => row.camera, since: (row) => row.whole?.since || null, light: (row) => row.whole?.light, lights: (row) => row.lights, learnt: (row) => row.whole?.learnt }[this.sort.by];
      return arranged(this.rows, value, this.sort.backwards);
    },
    shown() { return markRaw(this.all ? this.arranged : this.arranged.slice(0, FEW)); },
    one() { return this.rows.find((row) => row.camera === this.opened); },
    words() { return Object.entries(STAGES).filter(([stage]) => this.told.stages[stage]).map(([stage, { word }]) => `${this.told.stages[stage]} ${word}`).join(", "); },
  },
  methods: {
    cameraHref, clock, count, duration, exact, figure, may, percent, plain, plural,
    entries: (lights) => Object.entries(lights ?? {}),
    arrange(by) { this.sort = { by, backwards: this.sort.by === by && !this.sort.backwards }; },
    async learn(cameras, keep) {
      try {
        await order("/drift/learn", { method: "POST", body: { cameras, keep } });
        const whose = cameras.length ? cameras[0] : "All cameras";
        say(keep ? `${whose}: what is missing is learnt` : `${whose}: learnt anew from now on`);
        this.$emit("changed");
      } catch (error) {
        say(`It is not learnt: ${error.message}`, { wrong: true });
      }
    },
  },
};
