'use strict';
// Each clip's frames are images of the page; this shows one at a time. Without it the last one is shown.
document.documentElement.classList.add('js');
const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
const STEP = 333, HOLD = 1500; // milliseconds that a frame stays, and the last one

function player(clip) {
  const times = JSON.parse(clip.dataset.times), past = Number(clip.dataset.past), last = times.length - 1;
  const figures = [...clip.querySelectorAll('.panels figure')];
  const button = clip.querySelector('button'), slider = clip.querySelector('input');
  const output = clip.querySelector('output'), name = clip.querySelector('h4').textContent;
  for (const figure of figures) {
    if (figure.dataset.pastOf === undefined) continue;
    const screen = figure.querySelector('.screen'), first = screen.firstElementChild;
    for (const image of figures[figure.dataset.pastOf].querySelectorAll('img')) {
      if (image.dataset.frame < past) screen.insertBefore(image.cloneNode(), first);
    }
  }
  const images = [...clip.querySelectorAll('.screen img')];
  let frame = last, timer = null;

  function show(index) {
    frame = index;
    for (const image of images) image.classList.toggle('shown', Number(image.dataset.frame) === frame);
    const future = frame >= past, text = `${times[frame]} · ${future ? 'forecast' : 'past'}`;
    clip.classList.toggle('future', future);
    slider.value = frame;
    slider.setAttribute('aria-valuetext', text);
    output.textContent = text;
  }
  function next() {
    show(frame === last ? 0 : frame + 1);
    timer = setTimeout(next, frame === last ? HOLD : STEP);
  }
  function play(on) {
    clearTimeout(timer);
    timer = null;
    button.textContent = on ? 'Pause' : 'Play';
    button.setAttribute('aria-label', `${button.textContent} ${name}`);
    if (on) next();
  }
  button.addEventListener('click', () => play(timer === null));
  slider.addEventListener('input', () => { play(false); show(Number(slider.value)); });
  show(last);
  return { start: () => { if (timer === null) play(true); }, stop: () => play(false), touched: false };
}

const players = new Map([...document.querySelectorAll('.clip')].map((clip) => [clip, player(clip)]));
for (const [clip, one] of players) {
  clip.querySelector('.controls').addEventListener('pointerdown', () => { one.touched = true; });
  clip.querySelector('.controls').addEventListener('keydown', () => { one.touched = true; });
}
// A clip plays while it is in view, until its controls are used; never where motion isn't wanted.
if (!calm && 'IntersectionObserver' in window) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const one = players.get(entry.target);
      if (!one.touched) entry.isIntersecting ? one.start() : one.stop();
    }
  }, { threshold: 0.35 });
  for (const clip of players.keys()) seen.observe(clip);
}
