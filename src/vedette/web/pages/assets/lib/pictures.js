// Pictures of cameras as they are now, for as long as somebody looks: of many a second apart, of one as fluently as
// they come.
import { reactive, markRaw } from "vue";
import { ask, poll } from "./api.js";

// `came`: called with the name for each new one. names(): whose pictures are wanted now. → { of: {name: picture}, stop, now }. A picture: { captured_at, src, width,
// height, boxes }.
export function lookAt(names, { every = 1000, width = 320, came = () => {} } = {}) {
  const of = reactive({});
  const polling = poll(
    (signal) => {
      const wanted = names();
      if (!wanted.length) return { pictures: {} };
      return ask("/pictures", { query: { cameras: wanted.join(","), width: Math.round(width), since: oldest(wanted, of) }, signal });
    },
    {
      every,
      said({ pictures }) {
        for (const [name, picture] of Object.entries(pictures))
          if (of[name]?.captured_at !== picture.captured_at) {
            of[name] = markRaw({ ...picture, src: `data:image/jpeg;base64,${picture.jpeg}`, jpeg: null });
            came(name);
          }
      },
    },
  );
  return { of, stop: polling.stop, now: polling.now };
}

// One question for all: none may miss what came after its last one.
function oldest(wanted, of) {
  const times = wanted.map((name) => of[name]?.captured_at ?? 0);
  return Math.min(...times) || null;
}

const TONES = ["#58a6ff", "#3fd17a", "#ffb02e", "#ff7b72", "#c9a2ff", "#4fd6d6", "#f08db6", "#d7e05a"];

// The same colour for the same class, whichever page.
export function toneOf(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) >>> 0;
  return TONES[sum % TONES.length];
}

// <vd-picture :picture="picture" :boxes="true" :words="true" alt="…"/>: the picture with what was found in it. `fixed`:
// 16 to 9, whatever it is.
export const Picture = {
  props: { picture: Object, boxes: { type: Boolean, default: true }, words: Boolean, ids: Boolean, fixed: Boolean, alt: String },
  template: `
<div class="vd-picture" :class="{ 'vd-fixed': fixed }" :style="{ aspectRatio: ratio }">
  <img v-if="picture" :src="picture.src" :alt="alt" draggable="false">
  <svg v-if="picture && boxes" :viewBox="'0 0 ' + picture.width + ' ' + picture.height" :preserveAspectRatio="fixed ? 'xMidYMid meet' : 'none'" aria-hidden="true"><g v-for="(box, number) in picture.boxes" :key="number"><rect class="vd-box-halo" :x="box.xyxy[0]" :y="box.xyxy[1]" :width="box.xyxy[2] - box.xyxy[0]" :height="box.xyxy[3] - box.xyxy[1]"/><rect class="vd-box" :style="{ stroke: toneOf(box.class_name) }" :x="box.xyxy[0]" :y="box.xyxy[1]" :width="box.xyxy[2] - box.xyxy[0]" :height="box.xyxy[3] - box.xyxy[1]"/></g></svg>
  <template v-if="picture && boxes && (words || ids)"><span v-for="(box, number) in picture.boxes" :key="number" class="vd-box-says" :style="place(box)">{{ says(box) }}</span></template>
  <slot v-if="!picture"/>
</div>`,
  computed: {
    // On a wall all are alike, whatever they show: nothing moves when a picture comes.
    ratio() { return this.picture && !this.fixed ? `${this.picture.width} / ${this.picture.height}` : "16 / 9"; },
  },
  methods: {
    toneOf,
    place(box) {
      const { width, height } = this.picture;
      const above = box.xyxy[1] / height > 0.08;
      return { left: `${Math.max(0, Math.min(94, (100 * box.xyxy[0]) / width))}%`, top: `${(100 * box.xyxy[1]) / height}%`, translate: above ? "0 -100%" : null, background: toneOf(box.class_name) };
    },
    says(box) {
      const known = box.track_id !== null && box.track_id !== undefined && box.track_id >= 0;
      return [this.words ? box.class_name : "", this.ids && known ? `#${box.track_id}` : "", this.words ? `${Math.round(100 * box.confidence)}%` : ""].filter(Boolean).join(" ");
    },
  },
};
