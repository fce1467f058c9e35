// The page. What is in double braces is text, whatever cameras and classes are called.

export const template = `
<div class="vr" :class="{ 'vr-armed': armed }">
  <header class="vr-head">
    <h1>Review <span v-if="folder">{{ folder }}</span></h1>
    <button type="button" class="vr-quiet" @mousedown.prevent @click="toggle('classes')" :aria-expanded="panel === 'classes'" aria-controls="vr-classes">
      Looking for <b>{{ lookedFor }}</b> <kbd>L</kbd>
    </button>
    <button type="button" class="vr-quiet" @mousedown.prevent @click="toggle('filters')" :aria-expanded="panel === 'filters'" aria-controls="vr-filters">Filter <kbd>F</kbd></button>
    <button type="button" class="vr-quiet" @mousedown.prevent @click="toggle('past')" :aria-expanded="panel === 'past'" aria-controls="vr-past">Saved <kbd>H</kbd></button>
    <span v-if="signed" class="vr-name">Reviewer <b>{{ reviewer }}</b></span>
    <label v-else class="vr-name">Reviewer <input v-model.trim="reviewer" maxlength="100" @change="rememberReviewer" @keydown.enter="focusStage" @keydown.esc="focusStage" autocomplete="off" spellcheck="false"></label>
    <button type="button" class="vr-quiet" @mousedown.prevent @click="toggle('help')" :aria-expanded="panel === 'help'" aria-controls="vr-help">Keys <kbd>?</kbd></button>
  </header>

  <div v-if="limits.length" class="vr-limits" role="group" aria-label="Only these frames">
    <span>Only</span>
    <button type="button" v-for="each in limits" :key="each.key" class="vr-chip" :aria-label="'No longer only ' + each.by + ' ' + each.value" @mousedown.prevent @click="dropFilter(each)"><small>{{ each.by }}</small> {{ each.value }} <span aria-hidden="true">×</span></button>
    <button type="button" class="vr-quiet" @mousedown.prevent @click="dropFilters">All frames <kbd>Shift F</kbd></button>
    <span v-if="only.class.length" class="vr-dim">By class only frames of targeted streams come: those of the uniform stream must not be chosen by what is in them.</span>
  </div>

  <section v-if="panel === 'classes'" id="vr-classes" class="vr-panel" aria-label="Classes to look for" @keydown.esc.stop="toggle('classes')">
    <h2>What do you look for?</h2>
    <p>In each picture you say of <em>every</em> object of these classes where it is. What the model says of others is left out.</p>
    <div class="vr-chips">
      <button type="button" v-for="label in chips" :key="label" class="vr-chip" :aria-pressed="sought.includes(label)" @click="toggleClass(label)">{{ label }}</button>
    </div>
    <div class="vr-row">
      <Picker ref="another" id="vr-another" label="Another class" :options="classOptions" fresh @take="toggleClass" @done="closeClasses"></Picker>
      <button type="button" class="vr-button vr-main" :disabled="!sought.length" @click="closeClasses">Look for these</button>
    </div>
  </section>

  <section v-if="panel === 'filters'" id="vr-filters" class="vr-panel" aria-label="Filter" @keydown.esc.stop="toggle('filters')">
    <h2>Which frames?</h2>
    <p>Of one kind, any that you name; of several kinds, those that fit all. Enter chooses, and Enter on nothing closes this.</p>
    <div class="vr-row"><Picker ref="filter" id="vr-filter" label="Camera, reason, class or model" :options="filterOptions" always @take="addFilter" @done="toggle('filters')"></Picker></div>
  </section>

  <section v-if="panel === 'past'" id="vr-past" ref="past" tabindex="-1" class="vr-panel" aria-label="What was saved" @keydown.esc.stop="toggle('past')">
    <h2>What was saved</h2>
    <p v-if="!looked.length">Nothing yet{{ limits.length ? " of these frames" : "" }}.</p>
    <ol ref="looked" class="vr-past" @keydown.down.stop.prevent="stepPast($event, 1)" @keydown.up.stop.prevent="stepPast($event, -1)">
      <li v-for="each in looked" :key="each.task.item"><button type="button" class="vr-quiet" @click="goTo(each)"><b>{{ each.task.camera }}</b> <span>{{ day(each.task.captured_at) }}</span> <span>{{ summary(each) }}</span> <span>{{ each.reviewer }}, {{ day(each.saidAt) }}</span></button></li>
      <li v-if="more_looked"><button type="button" class="vr-button" @click="listMore">Older</button></li>
    </ol>
  </section>

  <section v-if="panel === 'help'" id="vr-help" class="vr-panel" aria-label="Keys">
    <h2>Keys</h2>
    <dl class="vr-keys"><div v-for="[keys, does] in helpLines" :key="keys + does"><dt><kbd v-for="key in keys.split(' ').filter((part) => part !== '…')" :key="key">{{ key }}</kbd></dt><dd>{{ does }}</dd></div></dl>
  </section>

  <div class="vr-body">
    <section class="vr-left">
      <div v-if="failure" class="vr-empty" role="alert"><h2>That does not work</h2><p>{{ failure }}</p></div>
      <div v-else-if="finished" class="vr-empty" ref="stage" tabindex="0">
        <h2>{{ entries.length ? "Nothing left to review" : "Nothing to review yet" }}</h2>
        <p v-if="passedOver">You passed over {{ passedOver }} of them: <kbd>←</kbd> goes back.</p>
        <p v-else-if="limits.length">None that you chose: <kbd>Shift F</kbd> shows all.</p>
        <p v-else-if="progress && progress.elsewhere">Other pages have {{ progress.elsewhere }} open.</p>
        <p v-else>New frames appear here by themselves.</p>
      </div>
      <div v-else-if="look" class="vr-stage" ref="stage" tabindex="0" role="application" :aria-label="'Picture of camera ' + look.task.camera + ', ' + shown.length + ' boxes'"
           :style="{ '--ratio': look.task.width / look.task.height, aspectRatio: look.task.width + '/' + look.task.height }"
           :data-item="look.task.item" :data-ready="ready ? '' : null"
           :class="{ 'vr-zoomed': view.by > 1 }" @wheel="wheel" @pointerdown="press" @pointermove="drag" @pointerup="release" @pointercancel="release">
        <div class="vr-canvas" ref="canvas" :style="canvas">
          <img ref="picture" :key="look.task.item" :src="url(look.task)" :alt="'Camera ' + look.task.camera + ', ' + when" draggable="false" @load="loaded" @error="broken = true">
          <div v-if="broken" class="vr-broken" role="alert"><p>This picture is gone from the disk, or cannot be read.</p><p><kbd>Space</kbd> goes on to the next, <kbd>S</kbd> skips it for good.</p></div>
          <svg v-else :viewBox="'0 0 ' + look.task.width + ' ' + look.task.height" preserveAspectRatio="none" aria-hidden="true">
            <g v-for="box in painted" :key="box.key" :class="['vr-box', 'vr-' + verdict(box), { 'vr-focus': box.key === look.focus, 'vr-difficult': box.difficult }]">
              <rect class="vr-halo" :x="box.xyxy[0]" :y="box.xyxy[1]" :width="box.xyxy[2] - box.xyxy[0]" :height="box.xyxy[3] - box.xyxy[1]"/>
              <rect class="vr-line" :x="box.xyxy[0]" :y="box.xyxy[1]" :width="box.xyxy[2] - box.xyxy[0]" :height="box.xyxy[3] - box.xyxy[1]"/>
            </g>
          </svg>
          <template v-if="!broken">
            <span v-for="box in painted" :key="'tag' + box.key" class="vr-tag" :class="['vr-' + verdict(box), { 'vr-focus': box.key === look.focus, 'vr-crowded': crowded && box.key !== look.focus }]" :style="place(box)" aria-hidden="true">{{ tag(box) }}</span>
            <template v-if="focused">
              <i v-for="corner in corners" :key="corner.name" class="vr-corner" :class="'vr-' + corner.name" :data-corner="corner.name" :style="cornerPlace(corner)" aria-hidden="true"></i>
            </template>
          </template>
        </div>
      </div>
      <div v-else class="vr-empty"><p>One moment…</p></div>

      <p class="vr-status" :class="{ 'vr-error': message.error }" :role="message.error ? 'alert' : 'status'">{{ message.text }} <span>{{ hint }}</span></p>
      <div class="vr-bar" role="toolbar" aria-label="What to say of the box and the picture">
        <button type="button" v-for="each in buttons" :key="each.key" class="vr-button" :class="each.look" :disabled="each.off" :aria-label="each.label" @mousedown.prevent @click="saving || each.does()"><span class="vr-sign">{{ each.sign }}</span>{{ each.name }} <kbd>{{ each.key }}</kbd></button>
      </div>
    </section>

    <aside class="vr-side">
      <section v-if="look && !finished" aria-label="This picture">
        <h2>{{ look.task.camera }}</h2>
        <p class="vr-dim">{{ when }}<template v-if="look.task.light"> · {{ look.task.light }}</template><template v-if="look.state"> · <b>saved: {{ look.state }}</b></template><template v-if="look.old"> by {{ look.reviewer || "somebody" }}, {{ day(look.saidAt) }}</template></p>
        <ul class="vr-list" role="listbox" aria-label="Boxes">
          <li v-for="box in shown" :key="box.key" role="option" :aria-selected="box.key === look.focus" :class="'vr-' + verdict(box)" @mousedown.prevent="choose(box)">
            <span class="vr-dot"></span><b>{{ box.label }}</b><span class="vr-score">{{ box.score === null ? "" : percent(box.score) }}</span><span class="vr-word">{{ words(box) }}</span>
          </li>
        </ul>
        <p v-if="!shown.length" class="vr-dim">The model found nothing of these classes. If that is right, <kbd>Space</kbd> says so.</p>
        <p class="vr-dim vr-more">
          <button v-if="offers.more || look.offering" type="button" class="vr-quiet" @mousedown.prevent @click="offerWeak(false)">{{ offersWords }} <kbd>W</kbd></button>
          <button type="button" class="vr-quiet" aria-label="Closer" @mousedown.prevent @click="zoom(1.5)"><kbd>+</kbd></button>
          <button type="button" class="vr-quiet" aria-label="Further away" :disabled="view.by === 1" @mousedown.prevent @click="zoom(1 / 1.5)"><kbd>−</kbd></button>
          <button v-if="view.by > 1" type="button" class="vr-quiet" @mousedown.prevent @click="fit">Whole picture <kbd>0</kbd></button>
          <button v-if="focused" type="button" class="vr-quiet" :aria-pressed="close" @mousedown.prevent @click="toggleClose">{{ close ? "Away from the box" : "To the box" }} <kbd>Z</kbd></button>
          <span v-if="others">{{ others }} of other classes left out</span>
        </p>
        <form v-if="naming" class="vr-naming" @submit.prevent="takeName">
          <label>Class <input ref="naming" v-model.trim="typed" autocomplete="off" @keydown.esc.stop="stopNaming" @blur="naming = false"></label>
          <ol><li v-for="(label, number) in matches" :key="label" :class="{ 'vr-first': !number }" @mousedown.prevent="takeName(label)">{{ label }}</li></ol>
          <p v-if="!matches.length" class="vr-dim">None of the classes you look for. <kbd>L</kbd> adds one.</p>
        </form>
        <ol v-else-if="focused" class="vr-numbers" aria-label="Classes by key">
          <li v-for="(label, number) in sought.slice(0, 9)" :key="label" :class="{ 'vr-is': focused.label === label }" @mousedown.prevent="relabel(label)"><kbd>{{ number + 1 }}</kbd> {{ label }}</li>
          <li v-if="sought.length > 9" @mousedown.prevent="startNaming"><kbd>C</kbd> others…</li>
        </ol>
      </section>
      <section class="vr-progress" aria-label="What is known by now">
        <p class="vr-counts"><b>{{ done }}</b> done<template v-if="progress"> here · <b>{{ progress.looks }}</b> by all · waiting: {{ progress.waiting }}</template></p>
        <template v-if="progress">
          <div v-for="each in progress.figures" :key="each.name" class="vr-figure">
            <h3>{{ each.name }}</h3>
            <p class="vr-said"><template v-if="each.value !== null"><b>{{ percent(each.value) }}</b> <span>{{ percent(each.lower) }} to {{ percent(each.upper) }}</span></template><span v-else>{{ each.said }}</span></p>
            <div class="vr-scale" aria-hidden="true"><i v-if="each.value !== null" class="vr-range" :style="{ left: each.lower * 100 + '%', right: 100 - each.upper * 100 + '%' }"></i><i v-if="each.value !== null" class="vr-point" :style="{ left: each.value * 100 + '%' }"></i></div>
            <p class="vr-dim">{{ each.outlook }}</p>
          </div>
          <p class="vr-dim vr-small">95% intervals, from the {{ progress.drawn }} reviewed {{ progress.drawn === 1 ? "frame" : "frames" }} of the uniform stream.</p>
        </template>
      </section>
    </aside>
  </div>
  <p class="vr-unseen" aria-live="polite">{{ spoken }}</p>
</div>`;
