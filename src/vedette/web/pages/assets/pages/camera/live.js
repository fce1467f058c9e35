// The camera now: as many pictures a second as there are, while somebody looks.
import { addressOf, Age, cameraPath, lookAt, onKeys, Picture, remembered } from "vedette-pages";

const EVERY_MS = 100, WIDEST = 1280;
const SWITCHES = [["boxes", "Boxes", "b"], ["words", "Classes", "c"], ["ids", "Tracks", "t"]];

export const Live = {
  components: { VdAge: Age, VdPicture: Picture },
  props: { name: String, camera: Object, why: String },
  template: `
<section class="cam-live" aria-label="Live picture">
  <div ref="place" class="cam-place"><vd-picture :picture="shown" :boxes="on.boxes" :words="on.words" :ids="on.ids" :alt="'What ' + name + ' sees'" :style="{ aspectRatio: ratio, '--ratio': ratio }"><span class="cam-none"><b>{{ why || "The picture is on its way" }}</b><span>{{ camera?.doing }}</span></span></vd-picture></div>
  <div class="cam-tools">
    <button v-for="[key, says, letter] in switches" :key="key" type="button" class="vd-quiet cam-switch" :aria-pressed="on[key]" :aria-keyshortcuts="letter" @click="turn(key)"><i aria-hidden="true">{{ on[key] ? "☑" : "☐" }}</i> {{ says }}</button>
    <button type="button" class="vd-quiet cam-switch" aria-keyshortcuts="h" :aria-pressed="held" @click="hold"><i aria-hidden="true">{{ held ? "▶" : "‖" }}</i> {{ held ? "Go on" : "Hold" }}</button>
    <span class="vd-dim cam-when"><template v-if="shown"><template v-if="!held">{{ rate }} pictures/s · </template><vd-age :at="shown.captured_at"/> old</template></span>
    <a v-if="shown" class="vd-button" :href="snapshot" :download="name + '.jpg'">Snapshot</a><button v-else type="button" class="vd-button" disabled>Snapshot</button>
  </div>
</section>`,
  data: () => ({ on: remembered.get("live", { boxes: true, words: true, ids: true }), pictures: {}, held: false, kept: null, rate: "0", switches: SWITCHES }),
  computed: {
    seen() { return !this.camera || this.camera.health === "seen" || this.camera.health === "degraded"; },
    shown() { return this.held ? this.kept : this.seen ? this.pictures[this.name] ?? null : null; },
    ratio() { return this.camera?.width ? `${this.camera.width / this.camera.height}` : String(16 / 9); },
    snapshot() { return addressOf(`${cameraPath(this.name)}/snapshot.jpg`, { width: 1920, boxes: this.on.boxes ? 1 : null }); },
  },
  created() {
    this.came = [];
    this.inSight = true;
    this.looking = lookAt(() => (this.inSight && this.seen && !this.held ? [this.name] : []), { every: EVERY_MS, width: Math.min(WIDEST, Math.max(640, window.innerWidth)), came: () => this.came.push(performance.now()) });
    this.pictures = this.looking.of;
    this.timer = setInterval(() => this.reckon(), 1000);
    this.takeAway = onKeys({
      ...Object.fromEntries(SWITCHES.map(([key, says, letter]) => [letter, { says: `${says.toLowerCase()} in the picture, or not`, does: () => this.turn(key) }])),
      h: { says: "hold the picture, and go on", does: () => this.hold() },
    }, "Live picture");
  },
  mounted() {
    this.sight = new IntersectionObserver(([entry]) => { this.inSight = entry.isIntersecting; });
    this.sight.observe(this.$refs.place);
  },
  unmounted() {
    this.looking.stop();
    this.sight.disconnect();
    this.takeAway();
    clearInterval(this.timer);
  },
  methods: {
    turn(key) {
      this.on = { ...this.on, [key]: !this.on[key] };
      remembered.set("live", this.on);
    },
    hold() {
      this.kept = this.shown;
      this.held = !this.held && Boolean(this.kept);
    },
    reckon() {
      const since = performance.now() - 3000;
      this.came = this.came.filter((at) => at > since);
      this.rate = (this.came.length / 3).toFixed(this.came.length < 30 ? 1 : 0);
    },
  },
};
