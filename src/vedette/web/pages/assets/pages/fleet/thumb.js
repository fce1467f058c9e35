// One camera on the wall.
import { Age, cameraHref, For, Health, healthOf, href, Picture, plain, whyOf } from "vedette-pages";

export const Thumb = {
  components: { VdAge: Age, VdFor: For, VdHealth: Health, VdPicture: Picture },
  props: { camera: Object, picture: Object, menus: Boolean },
  emits: ["menu"],
  template: `
<article class="fleet-thumb" :class="'vd-' + tone" :data-camera="camera.name" @contextmenu="menus && ($event.preventDefault(), $emit('menu', $refs.more))">
  <a class="fleet-look" :href="link" tabindex="-1" aria-hidden="true">
    <vd-picture :picture="shown" fixed alt=""><span class="fleet-none"><b>{{ why }}</b><span v-if="camera.doing">{{ camera.doing }}</span></span></vd-picture>
    <span v-if="shown" class="fleet-age"><vd-age :at="shown.captured_at"/></span>
    <span v-if="shown && found" class="fleet-found">{{ found }}</span>
  </a>
  <footer>
    <a :href="link" class="fleet-name">{{ camera.name }}</a>
    <button v-if="menus" ref="more" type="button" class="vd-icon" aria-haspopup="menu" :aria-label="'Actions for ' + camera.name" @click="$emit('menu', $refs.more)">⋯</button>
    <p><vd-health :health="camera.health"/><span v-if="wrong" class="vd-dim"> <template v-if="shown || !camera.since">{{ shown ? why : "" }}</template> <vd-for :since="camera.since" short/></span><span v-else class="vd-dim">{{ camera.fps_analysed.toFixed(1) }}/s</span></p>
  </footer>
</article>`,
  computed: {
    tone() { return healthOf(this.camera.health).tone; },
    wrong() { return this.camera.health !== "seen"; },
    blind() { return ["blind", "paused", "starting", "finished"].includes(this.camera.health); },
    // A picture of before is not how it is now.
    shown() { return this.blind ? null : this.picture ?? null; },
    why() { return whyOf(this.camera) || (this.camera.health === "seen" || this.camera.health === "degraded" ? "The picture is on its way" : plain(this.camera.state)); },
    link() { return href(cameraHref(this.camera.name)); },
    found() {
      const many = Object.entries(this.camera.objects ?? {}).filter(([, count]) => count);
      return many.map(([name, count]) => `${count} ${name}`).join(", ");
    },
  },
};
