// A field in which one types the beginning of what one means. `options`: {key, text, group}. `fresh`: what is typed
// may also be something new. Enter on nothing is `done`.

const SHOWN = 8;

const template = `
<div class="vr-picker">
  <label>{{ label }} <input ref="field" v-model.trim="typed" maxlength="100" autocomplete="off" spellcheck="false"
    role="combobox" aria-autocomplete="list" :aria-expanded="open" :aria-controls="id" :aria-activedescendant="open ? id + at : null"
    @input="at = 0; early = false" @keydown.down.prevent="step(1)" @keydown.up.prevent="step(-1)" @keydown.enter.prevent="enter"></label>
  <ul v-if="open" :id="id" role="listbox" aria-label="Matches">
    <li v-for="(each, number) in matches" :key="each.key" :id="id + number" role="option" :aria-selected="number === at" @mousedown.prevent="take(each)">
      <span>{{ each.text }}</span><small v-if="each.group">{{ each.group }}</small>
    </li>
  </ul>
  <p v-if="typed && !open" class="vr-dim" role="status">Nothing is called so.</p>
</div>`;

export const Picker = {
  template,
  props: { id: String, label: String, options: Array, fresh: Boolean, always: Boolean },
  emits: ["take", "done"],
  data: () => ({ typed: "", at: 0, early: false }),
  computed: {
    matches() {
      const typed = this.typed.toLowerCase();
      const place = (each) => each.text.toLowerCase().indexOf(typed);
      const found = this.options.filter((each) => place(each) >= 0).sort((a, b) => Math.sign(place(a)) - Math.sign(place(b))).slice(0, SHOWN);
      const known = found.some((each) => each.text === this.typed);
      return this.fresh && this.typed && !known ? [...found, { key: this.typed, text: this.typed, group: "new" }] : found;
    },
    open() { return Boolean(this.typed || this.always) && this.matches.length > 0; },
  },
  // Whoever is quicker than the answer that says what there is, is not asked to press Enter again.
  watch: {
    options() { if (this.early) this.enter(); },
  },
  methods: {
    focus() { this.$refs.field.focus(); },
    step(by) { this.at = Math.min(Math.max(this.at + by, 0), this.matches.length - 1); this.chose = true; },
    enter() {
      if (!this.typed && !this.chose) return this.$emit("done");
      if (this.matches[this.at]) this.take(this.matches[this.at]);
      else this.early = !this.options.length;
    },
    take(each) {
      Object.assign(this, { typed: "", at: 0, chose: false, early: false });
      this.$emit("take", each.key);
      this.focus();
    },
  },
};
