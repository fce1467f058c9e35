// The whole of it in the browser: the shell, and in it the page that the address names.
import { markRaw } from "vue";
import { here, Shell } from "vedette-pages";

export default {
  components: { VdShell: Shell },
  template: `
<vd-shell>
  <slot v-if="here.page?.elsewhere"/>
  <component v-else-if="page" :is="page" :key="here.path" v-bind="here.params"/>
  <section v-else-if="failed" class="vd-empty"><h1>{{ failed }}</h1><p>Reloading may help.</p></section>
</vd-shell>`,
  data: () => ({ page: null, failed: "" }),
  setup: () => ({ here }),
  watch: {
    "here.page": { immediate: true, handler(page) { this.load(page); } },
  },
  methods: {
    async load(page) {
      if (!page || page.elsewhere) return;
      try {
        const module = await page.load();
        if (here.page !== page) return;
        Object.assign(this, { page: markRaw(module.default), failed: "" });
      } catch (error) {
        console.error(error);
        Object.assign(this, { page: null, failed: `${page.title} cannot be shown.` });
      }
    },
  },
};
