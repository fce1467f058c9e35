// `/`: a camera by a part of its name, or a page.
import { cameraHref, go } from "./address.js";
import { ask } from "./api.js";
import { PAGES } from "../pages/index.js";
import { Health, whyOf } from "./words.js";

const WAITS_MS = 120;
const SHOWS = 12;

export const Search = {
  components: { VdHealth: Health },
  emits: ["close"],
  template: `
<dialog ref="dialog" class="vd-dialog vd-search" aria-label="Search" @close="$emit('close')" @click="$event.target === $refs.dialog && $refs.dialog.close()">
  <div class="vd-sheet">
    <input ref="typed" v-model.trim="typed" type="text" role="combobox" aria-label="A camera or a page" placeholder="A camera or a page" autocomplete="off" spellcheck="false" aria-controls="vd-found" aria-expanded="true" :aria-activedescendant="found.length ? 'vd-found-' + index : null" @keydown="press">
    <ul id="vd-found" role="listbox" aria-label="Found">
      <li v-for="(each, number) in found" :id="'vd-found-' + number" :key="each.path + each.title" role="option" :aria-selected="number === index" @mousedown.prevent="take(each)" @mousemove="index = number">
        <b>{{ each.title }}</b><span v-if="each.camera"><vd-health :health="each.camera.health"/> {{ each.camera.site }}</span><span v-else>{{ each.says }}</span>
      </li>
    </ul>
    <p v-if="wrong" class="vd-dim" role="alert">{{ wrong }}</p>
    <p v-else-if="!found.length" class="vd-dim">{{ asking ? "Looking…" : "No camera or page is called so." }}</p>
  </div>
</dialog>`,
  data: () => ({ typed: "", cameras: [], index: 0, asking: false, wrong: "" }),
  computed: {
    found() {
      const typed = this.typed.toLowerCase();
      const pages = PAGES.filter((page) => page.path && (!typed || page.title.toLowerCase().startsWith(typed))).map((page) => ({ title: page.title, path: page.path, says: page.key ? `g ${page.key}` : "" }));
      const cameras = this.cameras.map((camera) => ({ title: camera.name, path: cameraHref(camera.name), camera }));
      return typed ? [...cameras, ...pages] : [...pages, ...cameras];
    },
  },
  watch: {
    typed() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), WAITS_MS);
    },
  },
  mounted() {
    this.before = document.activeElement;
    this.$refs.dialog.showModal();
    this.$refs.typed.focus();
    this.look();
  },
  unmounted() {
    clearTimeout(this.timer);
    this.before?.isConnected && this.before.focus?.();
  },
  methods: {
    async look() {
      const typed = this.typed;
      this.asking = true;
      try {
        const said = await ask("/cameras", { query: { q: typed, limit: SHOWS } });
        if (typed !== this.typed) return;
        Object.assign(this, { cameras: said.cameras.slice(0, SHOWS), index: 0, wrong: "" });
      } catch (error) {
        this.wrong = error.message;
      }
      this.asking = false;
    },
    press(event) {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (by) this.index = (this.index + by + this.found.length) % Math.max(1, this.found.length);
      else if (event.key === "Enter" && this.found[this.index]) this.take(this.found[this.index]);
      else return;
      event.preventDefault();
      this.$nextTick(() => document.getElementById(`vd-found-${this.index}`)?.scrollIntoView({ block: "nearest" }));
    },
    take(each) {
      this.before = null;
      this.$refs.dialog.close();
      go(each.path);
    },
    whyOf,
  },
};
