// Dialogs about one camera: pause it (why?), remove it (sure?), add one, change its settings.
import { Confirm, Dialog } from "./dialog.js";
import { act, cameraPath } from "./camera_actions.js";
import { order } from "./api.js";
import { askNow } from "./node.js";
import { say } from "./say.js";

export const PauseDialog = {
  components: { VdDialog: Dialog },
  props: { name: String },
  emits: ["close", "done"],
  template: `
<vd-dialog :title="'Pause ' + name" @close="$emit('close')" v-slot="{ close }">
  <form class="vd-form" @submit.prevent="pause(close)">
    <p>It is not watched until somebody resumes it. The time is written down as paused, with what you say here.</p>
    <div class="vd-field"><label for="vd-why">Why</label><input id="vd-why" v-model.trim="why" maxlength="200" placeholder="Cleaning, until 3 pm" autocomplete="off"></div>
    <footer><button type="button" class="vd-button" @click="close">Cancel</button><button type="submit" class="vd-button vd-main" :disabled="busy">Pause</button></footer>
  </form>
</vd-dialog>`,
  data: () => ({ why: "", busy: false }),
  mounted() { document.getElementById("vd-why")?.focus(); },
  methods: {
    async pause(close) {
      this.busy = true;
      if (await act(this.name, "pause", { why: this.why })) { this.$emit("done"); close(); }
      this.busy = false;
    },
  },
};

export const RemoveDialog = {
  components: { VdConfirm: Confirm },
  props: { name: String },
  emits: ["close", "done"],
  template: `<vd-confirm :title="'Remove ' + name + '?'" does="Remove" wrong @yes="remove" @close="$emit('close')"><p>It is not watched any more, also after a restart. What the ledger knows of it stays.</p></vd-confirm>`,
  methods: {
    async remove() {
      if (await act(this.name, "remove")) this.$emit("done");
      this.$emit("close");
    },
  },
};

// What most cameras need; the rest is in the configuration's words, below.
const FIELDS = [
  { key: "site", name: "Site", says: "Where it stands: cameras of one site share the weather.", kind: "text" },
  { key: "priority", name: "Priority", says: "Its share where the machine cannot do all.", kind: "choice", of: ["low", "normal", "high"], usual: "normal" },
  { key: "max_fps", name: "Most frames a second", says: "Empty: as the defaults say, else as many as there are.", kind: "number" },
  { key: "transport", name: "Transport", says: "For RTSP; auto is TCP.", kind: "choice", of: ["auto", "tcp", "udp"], usual: "auto", more: true },
  { key: "decode", name: "Decode at most", says: "The most that is decoded of the stream.", kind: "choice", of: ["all", "reference", "keyframes"], usual: "all", more: true },
  { key: "motion", name: "Only where something moves", says: "Frames in which nothing moved are not analysed.", kind: "flag", more: true },
  { key: "stall_after", name: "Stalls after (s)", says: "The least time without a frame after which it counts as stalled.", kind: "number", more: true },
  { key: "max_sessions", name: "Sessions at most", says: "Empty: as the defaults say, else found out when it matters.", kind: "number", more: true },
];

const asText = (value) => (value === null || value === undefined ? "" : String(value));

// [{ at, what }]; some are only in the sentence: "body.url: …".
function mistakes(error) {
  if (error.errors?.length) return error.errors;
  const [, at, what] = /^body\.([\w.]+): (.*)$/s.exec(error.message) ?? [];
  return at ? [{ at, what }] : [];
}

// <vd-camera-dialog/> adds one; with `name` and `settings` it changes that one. Only what was changed is sent.
export const CameraDialog = {
  components: { VdDialog: Dialog },
  props: { name: String, settings: Object },
  emits: ["close", "done"],
  template: `
<vd-dialog :title="name ? 'Settings of ' + name : 'Add a camera'" @close="$emit('close')" v-slot="{ close }">
  <form class="vd-form" novalidate @submit.prevent="save(close)">
    <div v-if="!name" class="vd-field"><label for="vd-cam-name">Name</label><input id="vd-cam-name" v-model.trim="given.name" autocomplete="off" spellcheck="false" :aria-invalid="wrong.name ? 'true' : null" aria-describedby="vd-cam-name-says"><small id="vd-cam-name-says"><span v-if="wrong.name" class="vd-error" role="alert">{{ wrong.name }}</span><template v-else>Small letters, digits and _: gate, yard_2.</template></small></div>
    <div class="vd-field"><label for="vd-cam-url">Address</label><input id="vd-cam-url" v-model.trim="given.url" inputmode="url" autocomplete="off" spellcheck="false" :placeholder="name ? settings.url : 'rtsp://user:password@camera/stream'" :aria-invalid="wrong.url ? 'true' : null" aria-describedby="vd-cam-url-says"><small id="vd-cam-url-says"><span v-if="wrong.url" class="vd-error" role="alert">{{ wrong.url }}</span><template v-else>{{ name ? "Empty: stays as it is. " : "" }}A password in it is never shown again.</template></small></div>
    <template v-for="field in fields" :key="field.key">
      <label v-if="field.kind === 'flag'" class="vd-check"><input type="checkbox" v-model="given[field.key]"> {{ field.name }} <small class="vd-dim">{{ field.says }}</small></label>
      <div v-else class="vd-field"><label :for="'vd-cam-' + field.key">{{ field.name }}</label>
        <select v-if="field.kind === 'choice'" :id="'vd-cam-' + field.key" v-model="given[field.key]"><option v-for="each in choices(field)" :key="each">{{ each }}</option></select>
        <input v-else :id="'vd-cam-' + field.key" v-model.trim="given[field.key]" :inputmode="field.kind === 'number' ? 'decimal' : null" autocomplete="off" :aria-invalid="wrong[field.key] ? 'true' : null" :aria-describedby="'vd-cam-says-' + field.key">
        <small :id="'vd-cam-says-' + field.key"><span v-if="wrong[field.key]" class="vd-error" role="alert">{{ wrong[field.key] }}</span><template v-else>{{ field.says }}</template></small>
      </div>
    </template>
    <button v-if="!more" type="button" class="vd-quiet" style="justify-self: start" @click="more = true">More settings</button>
    <p v-if="failed" class="vd-error" role="alert">{{ failed }}</p>
    <footer><button type="button" class="vd-button" @click="close">Cancel</button><button type="submit" class="vd-button vd-main" :disabled="busy">{{ busy ? "One moment…" : name ? "Save" : "Add" }}</button></footer>
  </form>
</vd-dialog>`,
  data() {
    const given = { name: "", url: "" };
    for (const { key, kind, usual } of FIELDS) given[key] = kind === "flag" ? Boolean(this.settings?.[key]) : asText(this.settings?.[key] ?? usual);
    return { given, before: { ...given }, wrong: {}, failed: "", busy: false, more: false };
  },
  computed: {
    fields() { return FIELDS.filter((field) => this.more || !field.more); },
  },
  mounted() { document.getElementById(this.name ? "vd-cam-site" : "vd-cam-name")?.focus(); },
  methods: {
    choices: (field) => field.of,
    // As the configuration has it: numbers as numbers, nothing for what is as before.
    changes() {
      const found = {};
      for (const { key, kind } of FIELDS) {
        const value = this.given[key];
        if (value === this.before[key]) continue;
        // Nothing is no setting of its own: what the defaults say holds.
        found[key] = value === "" ? null : kind === "number" && !Number.isNaN(Number(value)) ? Number(value) : value;
      }
      if (this.given.url) found.url = this.given.url;
      return found;
    },
    missing() {
      this.wrong = {};
      if (!this.name && !this.given.name) this.wrong.name = "A camera needs a name.";
      if (!this.name && !this.given.url) this.wrong.url = "Where is its stream?";
      return Object.keys(this.wrong).length > 0;
    },
    async save(close) {
      this.failed = "";
      if (this.missing()) return this.toTheFirst();
      this.busy = true;
      try {
        const changes = this.changes();
        if (this.name) await order(cameraPath(this.name), { method: "PATCH", body: changes });
        else await order("/cameras", { method: "POST", body: { name: this.given.name, ...changes } });
        say(this.name ? `${this.name} is changed` : `${this.given.name} is watched from now on`);
        this.$emit("done", this.name ?? this.given.name);
        askNow();
        close();
      } catch (error) {
        this.told(error);
      }
      this.busy = false;
    },
    // Each mistake at its field; what belongs to none below them.
    told(error) {
      const known = new Set(["name", "url", ...FIELDS.map((field) => field.key)]);
      const left = [];
      for (const { at, what } of mistakes(error)) {
        const field = at.split(".").findLast((part) => known.has(part));
        if (field) this.wrong[field] = what;
        else left.push(at ? `${at}: ${what}` : what);
      }
      if (error.kind === "exists") this.wrong = { name: error.message };
      if (FIELDS.some((field) => field.more && this.wrong[field.key])) this.more = true;
      this.failed = left.join("; ") || (Object.keys(this.wrong).length ? "" : error.message);
      this.toTheFirst();
    },
    async toTheFirst() {
      await this.$nextTick();
      document.querySelector("dialog[open] [aria-invalid='true']")?.focus();
    },
  },
};
