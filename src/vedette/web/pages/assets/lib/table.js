// A table of thousands of rows of which only those in sight are drawn. It scrolls with the page.
//
// <vd-table label="Cameras" :rows="rows" :columns="columns" :sort="{ by, backwards }" @sort="…" @open="…" @menu="…">
//   <template #health="{ row }"> … </template>      a cell of the column with that key
// </vd-table>
//
// columns: { key, title, min (px), width (CSS, of the grid), rank (the highest go first where there is little room),
// num (numbers: to the right), unseen (a title only for those who hear it), sorts (false: not by this one), text(row) }. Rows are told apart by `by`, a key of theirs.

const ROOM = 6; // rows drawn above and below what is in sight
const PAGE = 10;

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// By name as people count: gate_2 before gate_10. Unknown values last, whichever way round.
export function arranged(rows, value, backwards = false) {
  const keyed = rows.map((row) => [value(row), row]);
  const turn = backwards ? -1 : 1;
  keyed.sort(([one], [other]) => {
    const none = (one ?? null) === null, nor = (other ?? null) === null;
    if (none || nor) return none - nor;
    return turn * (typeof one === "string" ? collator.compare(one, other) : one - other);
  });
  return keyed.map(([, row]) => row);
}

// Rows in which every word of `typed` is somewhere.
export function matching(rows, typed, words) {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return rows;
  return rows.filter((row) => {
    const said = words(row).toLowerCase();
    return wanted.every((word) => said.includes(word));
  });
}

export const Table = {
  props: { rows: Array, columns: Array, by: { type: String, default: "name" }, sort: Object, label: String, height: { type: Number, default: 38 }, menus: Boolean },
  emits: ["sort", "open", "menu", "key"],
  template: `
<div ref="grid" class="vd-table" role="grid" tabindex="0" :aria-label="label" :aria-rowcount="rows.length + 1" :aria-colcount="shown.length" :aria-activedescendant="cursorId" :style="{ '--columns': template, '--row': height + 'px' }" @keydown="press" @focus="focused = true" @blur="focused = false">
  <div class="vd-table-head" role="row" aria-rowindex="1">
    <div v-for="column in shown" :key="column.key" role="columnheader" :class="{ 'vd-num': column.num }" :aria-sort="sort?.by === column.key ? (sort.backwards ? 'descending' : 'ascending') : null">
      <button v-if="column.sorts !== false && sort" type="button" tabindex="-1" @click="$emit('sort', column.key)">{{ column.title }}<i aria-hidden="true">{{ sort.by === column.key ? (sort.backwards ? "↓" : "↑") : "" }}</i></button>
      <span v-else :class="{ 'vd-unseen': column.unseen }">{{ column.title }}</span>
    </div>
  </div>
  <div ref="body" class="vd-table-body" role="rowgroup" :style="{ height: rows.length * height + 'px' }">
    <div v-for="{ row, index } in drawn" :id="idOf(index)" :key="row[by]" class="vd-table-row" role="row" :aria-rowindex="index + 2" :aria-selected="index === cursor" :class="{ 'vd-cursor': focused && index === cursor }" :style="{ transform: 'translateY(' + index * height + 'px)' }" @click="click($event, row, index)" @contextmenu="menus && context($event, row, index)">
      <div v-for="column in shown" :key="column.key" role="gridcell" :class="{ 'vd-num': column.num }"><slot :name="column.key" :row="row">{{ column.text(row) }}</slot></div>
    </div>
  </div>
</div>`,
  data: () => ({ from: 0, to: 40, width: 1200, chosen: null, focused: false }),
  computed: {
    shown() {
      const left = [...this.columns].sort((one, other) => (one.rank ?? 0) - (other.rank ?? 0));
      let room = this.width, kept = new Set();
      for (const column of left) {
        if (room - column.min < 0 && kept.size) break;
        room -= column.min;
        kept.add(column);
      }
      return this.columns.filter((column) => kept.has(column));
    },
    template() { return this.shown.map((column) => column.width ?? `minmax(${column.min}px, 1fr)`).join(" "); },
    drawn() {
      return this.rows.slice(this.from, this.to).map((row, number) => ({ row, index: this.from + number }));
    },
    cursor() {
      if (this.chosen === null) return 0;
      return Math.max(0, this.rows.findIndex((row) => row[this.by] === this.chosen));
    },
    cursorId() { return this.rows.length && this.cursor >= this.from && this.cursor < this.to ? this.idOf(this.cursor) : null; },
  },
  watch: { rows() { this.look(); } },
  created() { this.own = `vd-row-${Math.random().toString(36).slice(2, 8)}`; },
  mounted() {
    this.onScroll = () => { this.waits ??= requestAnimationFrame(() => { this.waits = null; this.look(); }); };
    window.addEventListener("scroll", this.onScroll, { passive: true });
    this.sizes = new ResizeObserver(([entry]) => { this.width = entry.contentRect.width; this.onScroll(); });
    this.sizes.observe(this.$refs.grid);
    this.look();
  },
  unmounted() {
    window.removeEventListener("scroll", this.onScroll);
    this.sizes.disconnect();
    cancelAnimationFrame(this.waits);
  },
  methods: {
    idOf(index) { return `${this.own}-${index}`; },
    look() {
      if (!this.$refs.body) return;
      const above = -this.$refs.body.getBoundingClientRect().top;
      this.from = Math.max(0, Math.min(this.rows.length, Math.floor(above / this.height)) - ROOM);
      this.to = Math.min(this.rows.length, Math.ceil((above + window.innerHeight) / this.height) + ROOM);
    },
    choose(index) {
      const to = Math.max(0, Math.min(this.rows.length - 1, index));
      this.chosen = this.rows[to]?.[this.by] ?? null;
      const head = this.$refs.body.previousElementSibling.getBoundingClientRect().bottom;
      const top = this.$refs.body.getBoundingClientRect().top + to * this.height;
      const over = Math.min(0, top - Math.max(head, 60)), under = Math.max(0, top + this.height + 8 - window.innerHeight);
      if (over || under) window.scrollBy(0, over || under);
      this.look();
    },
    press(event) {
      if (event.target !== this.$refs.grid || event.ctrlKey || event.metaKey || event.altKey) return;
      const row = this.rows[this.cursor];
      const to = { ArrowDown: this.cursor + 1, j: this.cursor + 1, ArrowUp: this.cursor - 1, k: this.cursor - 1, PageDown: this.cursor + PAGE, PageUp: this.cursor - PAGE, Home: 0, End: this.rows.length - 1 }[event.key];
      if (to !== undefined) this.choose(to);
      else if (event.key === "Enter" && row) this.$emit("open", row);
      else if (this.menus && row && (event.key === "m" || event.key === "ContextMenu" || (event.shiftKey && event.key === "F10"))) this.menu(row);
      else return void this.$emit("key", event, row);
      event.preventDefault();
    },
    async menu(row) {
      this.choose(this.cursor);
      await this.$nextTick();
      const element = document.getElementById(this.idOf(this.cursor));
      this.$emit("menu", row, element?.querySelector("[data-menu]") ?? element, this.$refs.grid);
    },
    click(event, row, index) {
      this.chosen = row[this.by];
      const button = event.target.closest("[data-menu]");
      if (button) this.$emit("menu", row, button, this.$refs.grid);
      else if (!event.target.closest("a, button")) this.$emit("open", row);
    },
    context(event, row) {
      event.preventDefault();
      this.chosen = row[this.by];
      this.$emit("menu", row, event.target, this.$refs.grid);
    },
    focus() { this.$refs.grid.focus({ preventScroll: true }); },
  },
};
