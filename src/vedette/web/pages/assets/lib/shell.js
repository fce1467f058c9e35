// What is around each page: where one is and can go, whether the node answers, who one is, light and dark.
import { followLinks, go, here, href, lookWhere } from "./address.js";
import { ask, ROOT, session } from "./api.js";
import { Dialog } from "./dialog.js";
import { clock, duration, plural } from "./format.js";
import { allKeys, onKeys } from "./keys.js";
import { askNow, node, ticking, watchNode } from "./node.js";
import { Said, say } from "./say.js";
import { Search } from "./search.js";
import { applyTheme, nextTheme, theme } from "./theme.js";
import { PAGES } from "../pages/index.js";

const THEMES = { auto: "as the system", light: "light", dark: "dark" };
const FRESH_S = 12;

export const Shell = {
  components: { VdSaid: Said, VdSearch: Search, VdDialog: Dialog },
  template: `
<div class="vd" :class="{ 'vd-away': node.away }" @click="follow">
  <a class="vd-skip" href="#vd-main" @click.prevent="toMain">Skip to the page</a>
  <header class="vd-head">
    <a class="vd-home" :href="to('/')"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M2 12s3.6-6.5 10-6.5S22 12 22 12s-3.6 6.5-10 6.5S2 12 2 12Z"/><circle cx="12" cy="12" r="3"/></svg><b>{{ node.name || "Vedette" }}</b></a>
    <nav aria-label="Pages">
      <a v-for="page in pages" :key="page.name" :href="to(page.path)" :aria-current="isHere(page) ? 'page' : null">{{ page.title }}</a>
    </nav>
    <div class="vd-tools">
      <span class="vd-state" :class="node.away ? 'vd-bad' : node.status ? 'vd-good' : 'vd-off'"><i aria-hidden="true"></i>{{ state }}</span>
      <button type="button" class="vd-quiet vd-find" aria-label="Search" aria-keyshortcuts="/" @click="searching = true"><span>Search</span> <kbd>/</kbd></button>
      <button type="button" class="vd-icon" :aria-label="'Colours: ' + themes[theme.chosen]" :title="'Colours: ' + themes[theme.chosen]" @click="changeTheme"><svg viewBox="0 0 16 16" aria-hidden="true"><path v-if="theme.chosen === 'auto'" d="M8 2a6 6 0 1 0 .01 0Z M8 2v12"/><path v-else-if="theme.chosen === 'light'" d="M8 5a3 3 0 1 0 .01 0Z M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M3 13l1.2-1.2M11.8 4.2 13 3"/><path v-else d="M13.5 10A6 6 0 0 1 6 2.5 6 6 0 1 0 13.5 10Z"/></svg></button>
      <button type="button" class="vd-icon vd-keyhelp" aria-label="Keys" aria-keyshortcuts="?" title="Keys" @click="helping = true">?</button>
      <span v-if="session.by === 'session'" class="vd-who"><span>{{ session.name }} <small>{{ session.role }}</small></span><button type="button" class="vd-quiet" @click="leave">Log out</button></span>
    </div>
  </header>
  <p v-if="node.away" class="vd-banner" role="alert"><b>{{ node.name || "The node" }} does not answer</b> since {{ since }}: {{ node.away }}. <template v-if="node.heardAt">What is shown is {{ old }} old.</template> Trying again by itself. <button type="button" class="vd-quiet" @click="retry">Try now</button></p>
  <component :is="here.page?.elsewhere ? 'div' : 'main'" id="vd-main" ref="main" tabindex="-1" :aria-busy="node.status ? null : 'true'"><slot/></component>
  <vd-said/>
  <p class="vd-unseen" aria-live="polite">{{ spoken }}</p>
  <vd-search v-if="searching" @close="searching = false"/>
  <vd-dialog v-if="helping" title="Keys" wide @close="helping = false">
    <section v-for="group in keys()" :key="group.title" class="vd-keys"><h3>{{ group.title }}</h3><dl><div v-for="[key, says] in group.keys" :key="key"><dt><kbd v-for="part in key.split(' ')" :key="part">{{ names[part] ?? part }}</kbd></dt><dd>{{ says }}</dd></div></dl></section>
  </vd-dialog>
</div>`,
  data: () => ({ searching: false, helping: false, spoken: "", themes: THEMES, names: { ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→" } }),
  setup: () => ({ node, session, theme, here, follow: followLinks }),
  computed: {
    pages() { return PAGES.filter((page) => page.path); },
    state() {
      if (node.away) return "does not answer";
      if (!node.status) return "asking…";
      const age = ticking() - node.heardAt;
      return age > FRESH_S ? `heard ${duration(age)} ago` : "answers";
    },
    since() { return clock(node.awaySince, ticking()); },
    old() { return duration(ticking() - node.heardAt); },
    blind() { return node.status?.cameras?.blind ?? 0; },
    title() { return `${this.blind && !node.away ? `(${this.blind}) ` : ""}${here.params.name ?? here.page?.title ?? "Vedette"} · ${node.name || "Vedette"}`; },
  },
  watch: {
    title: { immediate: true, handler(title) { document.title = title; } },
    blind(now, before) {
      if (node.status) this.spoken = now > before ? `${plural(now, "camera")} not seen` : now ? `${plural(now, "camera")} not seen any more, fewer than before` : "All cameras are seen again";
    },
    "node.away"(now, before) { if (!now && before) this.spoken = "The node answers again"; },
    "here.path"() { this.$refs.main?.focus({ preventScroll: true }); },
  },
  created() {
    lookWhere();
    applyTheme();
    watchNode();
    const keys = {
      "/": { says: "search cameras and pages", does: () => (this.searching = true) },
      ...(here.page?.elsewhere ? {} : { "?": { says: "these keys", does: () => (this.helping = true) } }),
      "g c": { says: "to a camera", does: () => (this.searching = true) },
    };
    for (const page of PAGES.filter((each) => each.key)) keys[`g ${page.key}`] = { says: `to ${page.title}`, does: () => go(page.path) };
    this.takeAway = onKeys(keys, "Everywhere");
  },
  unmounted() { this.takeAway(); },
  methods: {
    to: (path) => href(path),
    keys: allKeys,
    retry: askNow,
    isHere: ({ name }) => here.page?.name === name || (name === "fleet" && here.page?.name === "camera"),
    toMain() { this.$refs.main.focus(); },
    changeTheme() { say(`Colours: ${THEMES[nextTheme()]}`); },
    async leave() {
      try {
        await ask("/session", { method: "DELETE" });
        location.href = `${ROOT}/`;
      } catch (error) {
        say(`Still logged in: ${error.message}`, { wrong: true });
      }
    },
  },
};
