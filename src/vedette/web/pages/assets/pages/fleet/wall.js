// Live pictures of the cameras in sight: those that nobody scrolled to are not asked for.
import { lookAt } from "vedette-pages";
import { Thumb } from "./thumb.js";

const EVERY_MS = 1000, MANY_EVERY_MS = 2000, MANY = 16, AT_ONCE = 48;

export const Wall = {
  components: { FleetThumb: Thumb },
  props: { cameras: Array, menus: Boolean },
  emits: ["menu"],
  template: `<div ref="wall" class="fleet-wall" role="list" aria-label="Cameras"><div v-for="camera in cameras" :key="camera.name" role="listitem" :data-name="camera.name"><fleet-thumb :camera="camera" :picture="pictures[camera.name]" :menus="menus" @menu="$emit('menu', camera, $event)"/></div></div>`,
  data: () => ({ pictures: {} }),
  watch: { cameras: { flush: "post", handler() { this.observe(); } } },
  created() {
    this.inSight = new Set();
    this.looking = lookAt(() => this.wanted(), { every: () => (this.inSight.size > MANY ? MANY_EVERY_MS : EVERY_MS), width: 320 });
    this.pictures = this.looking.of;
  },
  mounted() {
    this.sight = new IntersectionObserver((entries) => {
      let more = false;
      for (const { target, isIntersecting } of entries) {
        more ||= isIntersecting;
        this.inSight[isIntersecting ? "add" : "delete"](target.dataset.name);
      }
      if (more) this.looking.now();
    }, { rootMargin: "80px" });
    this.observe();
  },
  unmounted() {
    this.sight.disconnect();
    this.looking.stop();
  },
  methods: {
    observe() {
      const there = new Set(this.cameras.map((camera) => camera.name));
      for (const name of this.inSight) if (!there.has(name)) this.inSight.delete(name);
      this.$refs.wall.querySelectorAll(":scope > [data-name]").forEach((each) => this.sight.observe(each));
    },
    wanted() {
      const seen = this.cameras.filter((camera) => this.inSight.has(camera.name) && (camera.health === "seen" || camera.health === "degraded"));
      return seen.slice(0, AT_ONCE).map((camera) => camera.name);
    },
  },
};
