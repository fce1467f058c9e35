// What the node is made of, and what holds it back.
import { markRaw } from "vue";
import { addressOf, ask, bytes, Chart, count, duration, node, percent, plain, plural, poll } from "vedette-pages";
import { Happenings } from "./system/happenings.js";
import { Stages } from "./system/stages.js";
import { Workers } from "./system/workers.js";

const EVERY_MS = 3000, HISTORY_EVERY_MS = 10_000;
const TONES = ["one", "two", "three", "four", "six", "seven", "eight"], ALL = "five";
const STEPS = { full: "every frame", fewer: "fewer frames", reference: "reference frames only", keyframes: "key frames only", paused: "not looked at" };

export default {
  components: { SysHappenings: Happenings, SysStages: Stages, SysWorkers: Workers, VdChart: Chart },
  template: `
<div class="vd-stack sys">
  <div class="sys-head"><h1>System</h1><p class="vd-dim" aria-live="polite">{{ headline }}</p></div>
  <dl class="vd-figures"><div><dt>Running for</dt><dd>{{ told ? duration(told.uptime_s) : "–" }}</dd></div><div><dt>Cores in use</dt><dd>{{ told ? percent(told.cpu_busy) : "–" }} <small v-if="told?.machine">of {{ told.machine.cores }}</small></dd></div><div><dt>Memory<template v-if="told">, at most {{ bytes(told.pss_peak_mb * 1e6) }}</template></dt><dd>{{ told ? bytes(told.pss_mb * 1e6) : "–" }}</dd></div><div><dt>Memory left</dt><dd>{{ told?.machine ? bytes(told.machine.memory_available) : "–" }}</dd></div><div><dt>Disk left</dt><dd>{{ told?.machine ? bytes(told.machine.disk_free) : "–" }}</dd></div><div><dt>Deaths, replacements</dt><dd>{{ told ? count(told.deaths) + ", " + count(replaced) : "–" }}</dd></div></dl>
  <sys-workers :told="told" @changed="again"/>
  <div class="sys-two">
    <section class="vd-panel" aria-labelledby="sys-memory"><header><h2 id="sys-memory">Memory</h2><span class="vd-dim vd-small">MB by process</span></header><vd-chart v-if="samples.length > 1" label="Memory of each process in MB" unit="MB" :series="memory" :from="samples[0][0]" :to="samples[samples.length - 1][0]" :height="180"/><p v-else class="vd-dim sys-wait">It is kept from now on; the first line is drawn in a moment.</p></section>
    <section class="vd-panel" aria-labelledby="sys-cpu"><header><h2 id="sys-cpu">Cores</h2><span class="vd-dim vd-small">share in use, by anybody</span></header><vd-chart v-if="samples.length > 1" label="Cores in use in percent" unit="%" :series="cores" :from="samples[0][0]" :to="samples[samples.length - 1][0]" :floor="100" :height="180"/><p v-else class="vd-dim sys-wait">It is kept from now on.</p></section>
  </div>
  <div class="sys-two">
    <sys-stages :told="told"/>
    <div class="vd-stack">
      <section class="vd-panel" aria-labelledby="sys-ladder"><header><h2 id="sys-ladder">Ladder</h2><span class="vd-dim vd-small">cameras by step</span></header><dl class="vd-pairs"><template v-for="(many, step) in told?.ladder ?? {}" :key="step"><dt>{{ plain(step) }}</dt><dd><b>{{ count(many) }}</b> <span class="vd-dim">{{ steps[step] }}</span></dd></template></dl><p class="vd-dim vd-small">{{ told?.bottleneck ? "Where there is too much to do, cameras go down step by step: " + told.bottleneck : "Cameras go down step by step only where there is too much to do." }}</p></section>
      <section class="vd-panel" aria-labelledby="sys-sinks"><header><h2 id="sys-sinks">Sinks</h2></header><div v-if="told?.sinks.length" class="vd-scrolls" tabindex="0" role="group" aria-label="Sinks"><table class="vd-plain"><thead><tr><th scope="col">Sink</th><th v-for="key in sinkKeys" :key="key" scope="col" class="vd-num">{{ key }}</th></tr></thead><tbody><tr v-for="each in told.sinks" :key="each.name"><th scope="row">{{ each.name }}</th><td v-for="key in sinkKeys" :key="key" class="vd-num">{{ count(each[key]) }}</td></tr></tbody></table></div><p v-else class="vd-dim">Results go to no sink.</p></section>
    </div>
  </div>
  <sys-happenings/>
  <section class="vd-panel" aria-labelledby="sys-config"><header><h2 id="sys-config">Configuration now</h2><a class="vd-button" :href="configHref" download="vedette.yaml">Download</a></header><button type="button" class="vd-quiet" :aria-expanded="!!config" @click="showConfig">{{ config ? "Hide" : "Show" }}</button><p v-if="configWrong" class="vd-error" role="alert">{{ configWrong }}</p><pre v-if="config" class="sys-config" tabindex="0" aria-label="Configuration">{{ config }}</pre></section>
</div>`,
  data: () => ({ told: null, samples: [], wrong: "", config: "", configWrong: "", steps: STEPS, sinkKeys: ["written", "waiting", "dropped", "expired", "failed"], configHref: addressOf("/config") }),
  setup: () => ({ node }),
  computed: {
    headline() {
      if (!this.told) return this.wrong || "Asking…";
      return this.told.bottleneck ?? `Nothing holds it back: ${plural(this.told.workers.length, "worker")}, ${percent(this.told.cpu_busy)} of the cores in use.`;
    },
    replaced() { return Object.values(this.told?.replacements ?? {}).reduce((sum, many) => sum + many, 0); },
    cores() { return [{ name: "in use", tone: "one", points: this.samples.map((each) => [each[0], 100 * each[4]]) }]; },
    // The largest; more lines than colours nobody can read.
    memory() {
      const last = this.samples.at(-1)[6];
      const names = Object.keys(last).sort((one, other) => last[other] - last[one]).slice(0, TONES.length);
      const whole = { name: "all", tone: ALL, points: this.samples.map((each) => [each[0], each[5]]) };
      return [whole, ...names.map((name, number) => ({ name, tone: TONES[number], points: this.samples.map((each) => [each[0], name in each[6] ? each[6][name] / 1e6 : null]) }))];
    },
  },
  mounted() {
    this.polling = poll((signal) => ask("/system", { signal }), { every: EVERY_MS, said: (told) => Object.assign(this, { told: markRaw(told), wrong: "" }), refused: (error) => (this.wrong = error.message) });
    this.keeping = poll((signal) => ask("/system/history", { query: { most: 360 }, signal }), { every: HISTORY_EVERY_MS, said: ({ samples }) => (this.samples = markRaw(samples)) });
  },
  unmounted() {
    this.polling.stop();
    this.keeping.stop();
  },
  methods: {
    bytes, count, duration, percent, plain, plural,
    again() { this.polling.now(); },
    async showConfig() {
      if (this.config) return void (this.config = "");
      try {
        const answer = await fetch(this.configHref);
        if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail ?? `unexpected answer (${answer.status})`);
        Object.assign(this, { config: await answer.text(), configWrong: "" });
      } catch (error) {
        this.configWrong = error.message;
      }
    },
  },
};
