// How well it is seen: drift, what people reviewed, labelled pictures, and the models that detect.
import { markRaw } from "vue";
import { ask, node, onKeys, plural, poll, may } from "vedette-pages";
import { Drift } from "./accuracy/drift.js";
import { Estimated } from "./accuracy/estimated.js";
import { Candidates } from "./accuracy/candidates.js";
import { Models } from "./accuracy/models.js";
import { Review } from "./accuracy/review.js";
import { Runs } from "./accuracy/runs.js";

const EVERY_MS = 5000, SELDOM_MS = 30_000;

export default {
  components: { AccDrift: Drift, AccEstimated: Estimated, AccCandidates: Candidates, AccModels: Models, AccReview: Review, AccRuns: Runs },
  template: `
<div class="vd-stack acc">
  <div class="acc-head"><h1>Accuracy</h1><p class="vd-dim" aria-live="polite">{{ headline }}</p></div>
  <acc-drift :told="drift" :wrong="wrong" @changed="again"/>
  <div class="acc-two"><acc-estimated :told="accuracy"/><acc-review :told="review" :why="reviewWhy"/></div>
  <acc-models :model="model" :models="models" :why="modelsWhy" @changed="again"/>
  <acc-candidates :shadow="shadow" :canary="canary" :words="canaryWords" :models="models?.models ?? []" @changed="again"/>
  <acc-runs :told="runs"/>
</div>`,
  data: () => ({ drift: null, accuracy: null, review: null, reviewWhy: "", model: null, models: null, modelsWhy: "", shadow: null, canary: null, canaryWords: "", runs: null, wrong: "" }),
  setup: () => ({ node }),
  computed: {
    headline() {
      if (!this.drift) return this.wrong || "Asking…";
      const { suspected = 0, changed = 0, unseen = 0, learning = 0 } = this.drift.stages;
      const lost = [...(this.accuracy?.cameras ?? []), ...(this.accuracy?.sites ?? [])].filter((each) => each.lost).length;
      if (lost) return `By what people reviewed, ${plural(lost, "figure")} ${lost === 1 ? "is" : "are"} surely below the floor.`;
      if (!this.drift.watched) return "The detector is not watched for drift.";
      if (suspected) return `The detector probably does worse on ${plural(suspected, "camera")} than it did.`;
      const rest = [changed && `the picture of ${plural(changed, "camera")} has changed`, unseen && `${plural(unseen, "camera")} in a light that is not known yet`, learning && `${learning} still learning`].filter(Boolean);
      return `The detector does as usual${rest.length ? `; ${rest.join(", ")}` : " on every camera"}.`;
    },
  },
  mounted() {
    this.often = poll((signal) => this.look(signal), { every: EVERY_MS, said: () => (this.wrong = ""), refused: (error) => (this.wrong = error.message) });
    this.seldom = poll((signal) => this.lookSeldom(signal), { every: SELDOM_MS, said: () => {} });
    this.takeAway = onKeys({ r: { says: "review what waits", does: () => document.querySelector(".acc-toreview")?.click() } }, "Accuracy");
  },
  unmounted() {
    this.often.stop();
    this.seldom.stop();
    this.takeAway();
  },
  methods: {
    may,
    again() { this.often.now(); this.seldom.now(); },
    async look(signal) {
      const [drift, accuracy, model, canary] = await Promise.all(["/drift", "/accuracy", "/model", "/canary"].map((path) => ask(path, { signal })));
      Object.assign(this, { drift: markRaw(drift), accuracy: markRaw(accuracy), model: markRaw(model), shadow: model.shadow && markRaw(model.shadow), canary: canary.canary && markRaw(canary.canary), canaryWords: canary.words });
    },
    // Each of these may be missing for reasons of its own.
    async lookSeldom(signal) {
      await Promise.all([
        ask("/validation", { query: { limit: 50 }, signal }).then((runs) => (this.runs = markRaw(runs)), () => {}),
        ask("/review", { signal }).then((review) => Object.assign(this, { review: markRaw(review), reviewWhy: "" }), (error) => (this.reviewWhy = error.message ?? "")),
        ask("/models", { signal }).then((models) => Object.assign(this, { models: markRaw(models), modelsWhy: "" }), (error) => (this.modelsWhy = error.message ?? "")),
      ]);
    },
  },
};
