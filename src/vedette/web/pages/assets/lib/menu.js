// <vd-menu :at="element" :items="[{ name, does, off, danger }]" @close="…"/>: opened beside an element, by arrow keys
// or letters, closed by Esc or a click elsewhere.

export const Menu = {
  props: { at: Object, items: Array, label: { type: String, default: "Actions" } },
  emits: ["close"],
  template: `
<div ref="menu" class="vd-menu" role="menu" :aria-label="label" :style="place" @keydown.stop="press">
  <button v-for="(item, number) in items" :key="item.name" ref="buttons" type="button" role="menuitem" tabindex="-1" :disabled="item.off" :title="item.why || null" :class="{ 'vd-danger-text': item.danger }" @click="take(item)" @mousemove="$refs.buttons[number].focus()">{{ item.name }}</button>
</div>`,
  data: () => ({ place: { visibility: "hidden" } }),
  async mounted() {
    this.lay();
    await this.$nextTick(); // what cannot be seen cannot be focused
    this.first()?.focus({ preventScroll: true });
    this.outside = (event) => { if (!this.$refs.menu.contains(event.target)) this.$emit("close"); };
    this.away = () => this.$emit("close");
    setTimeout(() => window.addEventListener("pointerdown", this.outside, true));
    window.addEventListener("resize", this.away);
    window.addEventListener("scroll", this.away, { passive: true });
  },
  beforeUnmount() {
    window.removeEventListener("pointerdown", this.outside, true);
    window.removeEventListener("resize", this.away);
    window.removeEventListener("scroll", this.away);
  },
  methods: {
    lay() {
      const anchor = this.at.getBoundingClientRect(), own = this.$refs.menu.getBoundingClientRect();
      const below = anchor.bottom + own.height + 8 < window.innerHeight;
      const left = Math.max(8, Math.min(anchor.right - own.width, window.innerWidth - own.width - 8));
      this.place = { left: `${left}px`, top: `${below ? anchor.bottom + 4 : Math.max(8, anchor.top - own.height - 4)}px` };
    },
    able() { return this.$refs.buttons.filter((button) => !button.disabled); },
    first() { return this.able()[0]; },
    close() {
      this.$emit("close");
      this.at.focus?.({ preventScroll: true });
    },
    take(item) {
      this.close();
      item.does();
    },
    press(event) {
      const able = this.able(), index = able.indexOf(document.activeElement);
      const to = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: able.length - 1 }[event.key];
      if (to !== undefined) able[(to + able.length) % able.length]?.focus();
      else if (event.key === "Escape" || event.key === "Tab") this.close();
      else if (event.key.length === 1) able.find((each) => each.textContent.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
      if (event.key !== "Enter" && event.key !== " ") event.preventDefault();
    },
  },
};
