// <vd-dialog title="Add a camera" @close="adding = false"> … </vd-dialog>: the browser's own dialog, so focus stays
// inside, Esc closes it, and what had the focus gets it back.

export const Dialog = {
  props: { title: String, wide: Boolean },
  emits: ["close"],
  template: `
<dialog ref="dialog" class="vd-dialog" :class="{ 'vd-wide': wide }" :aria-label="title" @close="$emit('close')" @click="outside">
  <div class="vd-sheet">
    <header><h2>{{ title }}</h2><button type="button" class="vd-icon" aria-label="Close" @click="$refs.dialog.close()">✕</button></header>
    <slot :close="() => $refs.dialog.close()"/>
  </div>
</dialog>`,
  mounted() {
    this.before = document.activeElement;
    this.$refs.dialog.showModal();
  },
  beforeUnmount() { this.before?.isConnected && this.before.focus?.(); },
  methods: {
    outside(event) { if (event.target === this.$refs.dialog) this.$refs.dialog.close(); },
  },
};

// Is it meant? For what cannot be taken back. Whoever shows it takes it away after `yes`.
export const Confirm = {
  components: { VdDialog: Dialog },
  props: { title: String, does: { type: String, default: "Yes" }, wrong: Boolean },
  emits: ["yes", "close"],
  template: `
<vd-dialog :title="title" @close="$emit('close')" v-slot="{ close }">
  <div class="vd-prose"><slot/></div>
  <footer><button type="button" class="vd-button" @click="close">Cancel</button><button type="button" class="vd-button" :class="wrong ? 'vd-danger' : 'vd-main'" @click="$emit('yes')">{{ does }}</button></footer>
</vd-dialog>`,
};
