// The model at work, those that were uploaded, and putting another in its place.
import { addressOf, ask, bytes, clock, Confirm, count, DASH, Dialog, exact, may, percent, Problem, say, session } from "vedette-pages";
import { Interval } from "./interval.js";
import { follow } from "./follow.js";

const FIGURES = [["ap", "AP"], ["ap50", "AP50"], ["ap75", "AP75"], ["recall", "recall"], ["precision", "precision"]];

export const Models = {
  components: { VdDialog: Dialog, VdConfirm: Confirm, AccInterval: Interval },
  props: { model: Object, models: Object, why: String },
  emits: ["changed"],
  template: `
<section class="acc-models" aria-labelledby="acc-models"><header class="acc-bar"><h2 id="acc-models">Models</h2>
    <template v-if="may('admin')"><button type="button" class="vd-button" @click="choose">Upload…</button><input ref="file" type="file" accept=".onnx,.txt" class="vd-unseen" tabindex="-1" aria-label="A model or a file of class names" @change="upload"><button type="button" class="vd-button" @click="open('')">Set another…</button></template></header>
  <div class="acc-two">
    <section class="vd-panel" aria-labelledby="acc-atwork"><header><h3 id="acc-atwork">At work</h3></header>
      <template v-if="model"><p><b>{{ model.detector || "no detector yet" }}</b></p>
        <dl class="vd-pairs vd-small acc-atwork"><dt>File</dt><dd>{{ model.file ?? "the bundled one" }}</dd><template v-if="model.input_size[0]"><dt>Input</dt><dd>{{ model.input_size[1] }}×{{ model.input_size[0] }} px</dd></template><template v-if="model.classes"><dt>Classes</dt><dd>{{ Array.isArray(model.classes) ? model.classes.length > 8 ? model.classes.length + " of them" : model.classes.join(", ") : model.classes }}</dd></template></dl>
        <template v-if="model.validation"><h3>On labelled pictures</h3><p class="vd-small"><b :class="model.validation.problems.length ? 'acc-below' : 'acc-passed'">{{ model.validation.problems.length ? "does not pass" : "passes" }}</b> <span class="vd-dim">{{ model.validation.dataset }}, {{ count(model.validation.pictures) }} pictures, {{ clock(model.validation.at) }}</span></p>
          <ul v-if="model.validation.problems.length" class="acc-problems"><li v-for="each in model.validation.problems" :key="each">{{ each }}</li></ul>
          <dl class="acc-figures"><template v-for="[key, name] in figures" :key="key"><template v-if="model.validation.figures[key]"><dt>{{ name }}</dt><dd><acc-interval :value="model.validation.figures[key][0]" :lower="model.validation.figures[key][1]" :upper="model.validation.figures[key][2]"/></dd></template></template></dl></template>
      </template><p v-else class="vd-dim">Asking…</p></section>
    <section class="vd-panel" aria-labelledby="acc-uploaded"><header><h3 id="acc-uploaded">Uploaded</h3><span v-if="sending" class="vd-dim vd-small" role="status">{{ sending }}</span></header>
      <div v-if="models?.models.length" class="vd-scrolls" tabindex="0" role="group" aria-label="Uploaded files"><table class="vd-plain"><thead><tr><th scope="col">File</th><th scope="col">What it is</th><th scope="col" class="vd-num">Size</th><th scope="col"><span class="vd-unseen">Actions</span></th></tr></thead>
        <tbody><tr v-for="each in models.models" :key="each.name"><th scope="row"><b>{{ each.name }}</b><br><small class="vd-dim" :title="exact(each.at)">{{ clock(each.at) }}{{ each.by && ", by " + each.by }}</small></th><td>{{ each.words }}<template v-if="each.used"><br><b class="acc-passed">{{ each.used }}</b></template></td><td class="vd-num">{{ bytes(each.bytes) }}</td>
          <td class="vd-num"><template v-if="may('admin')"><button v-if="each.kind === 'model'" type="button" class="vd-quiet" :aria-label="'Set ' + each.name" @click="open(each.name)">Set…</button><button type="button" class="vd-quiet" :disabled="!!each.used" :aria-label="'Delete ' + each.name" @click="deleting = each.name">Delete</button></template></td></tr></tbody></table></div>
      <p v-else class="vd-dim">{{ models ? "None was uploaded." : why ? why[0].toUpperCase() + why.slice(1) + "." : "Asking…" }}</p></section>
  </div>
  <vd-dialog v-if="setting" title="Set another model" @close="setting = null">
    <form class="vd-form" @submit.prevent="set">
      <div class="vd-field"><label for="acc-which">Model</label><select id="acc-which" v-model="setting.upload"><option v-for="each in uploads" :key="each.name" :value="each.name">{{ each.name }}</option><option value="">a file on the node's machine…</option></select></div>
      <div v-if="!setting.upload" class="vd-field"><label for="acc-file">Its path</label><input id="acc-file" v-model.trim="setting.file" required placeholder="/models/yolo.onnx" autocomplete="off" spellcheck="false"><small>Absolute, on the node's machine; ends with .onnx.</small></div>
      <label class="vd-check"><input v-model="setting.force" type="checkbox">Whatever labelled pictures say of it</label>
      <p class="vd-dim">It is loaded and, where there are labelled pictures, examined on them. If it cannot be used, or is worse, the one at work goes on; no frame is lost.</p>
      <p v-if="setting.words" role="status"><b>{{ setting.words }}</b></p><p v-if="setting.wrong" class="vd-error" role="alert">{{ setting.wrong }}</p>
      <footer><button type="submit" class="vd-button vd-main" :disabled="setting.busy">{{ setting.busy ? "Being examined…" : "Set" }}</button></footer>
    </form>
  </vd-dialog>
  <vd-confirm v-if="deleting" :title="'Delete ' + deleting + '?'" does="Delete" wrong @close="deleting = ''" @yes="remove(deleting)"><p>The file is gone from the node's machine then.</p></vd-confirm>
</section>`,
  data: () => ({ setting: null, deleting: "", sending: "", figures: FIGURES, dash: DASH }),
  computed: { uploads() { return (this.models?.models ?? []).filter((each) => each.kind === "model"); } },
  methods: {
    bytes, clock, count, exact, may, percent,
    open(upload) { this.setting = { upload: upload || (this.uploads[0]?.name ?? ""), file: "", force: false, busy: false, words: "", wrong: "" }; },
    // What the gate says meanwhile is shown as it comes; the dialog may be closed before it is over.
    async set() {
      const mine = this.setting;
      Object.assign(mine, { busy: true, wrong: "", words: "It is loaded…" });
      try {
        const told = await follow("/model", { method: "PUT", body: { ...(mine.upload ? { upload: mine.upload } : { file: mine.file }), force: mine.force } }, (words) => (mine.words = words));
        say(told.words || `${mine.upload || mine.file} detects now`);
        if (this.setting === mine) this.setting = null;
      } catch (error) {
        Object.assign(mine, { busy: false, words: "", wrong: error.message });
        if (this.setting !== mine) say(`The model is not set: ${error.message}`, { wrong: true });
      }
      this.$emit("changed");
    },
    choose() { this.$refs.file.click(); },
    async upload(event) {
      const file = event.target.files[0];
      event.target.value = "";
      if (!file) return;
      const kind = file.name.endsWith(".txt") ? "labels" : "model", most = this.models?.largest?.[kind];
      if (most && file.size > most) return void say(`${file.name} has ${bytes(file.size)}; ${bytes(most)} are taken at most`, { wrong: true });
      this.sending = `${file.name} is sent and looked at…`;
      try {
        const answer = await fetch(addressOf("/models", { name: file.name, kind }), { method: "POST", body: file, headers: { "Content-Type": "application/octet-stream", ...(session.csrf && { "X-Vedette-CSRF": session.csrf }) } });
        const said = await answer.json().catch(() => ({}));
        if (!answer.ok) throw new Problem(answer.status, said);
        say(`${said.name} is kept: ${said.words}`);
      } catch (error) {
        say(`${file.name} is not kept: ${error.message}`, { wrong: true });
      }
      this.sending = "";
      this.$emit("changed");
    },
    async remove(name) {
      try {
        await ask(`/models/${encodeURIComponent(name)}`, { method: "DELETE" });
        say(`${name} is deleted`);
      } catch (error) {
        say(`${name} is not deleted: ${error.message}`, { wrong: true });
      }
      this.$emit("changed");
    },
  },
};
