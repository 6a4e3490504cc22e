'use strict';
(() => {
  const main = document.getElementById('designs');
  const cards = [...main.children];
  const data = JSON.parse(document.getElementById('data').textContent);
  const key = 'mmforecast-design-' + data.id;
  let favorites = new Set();
  try {
    favorites = new Set(JSON.parse(localStorage.getItem(key) || '[]'));
  } catch (error) { /* a browser that keeps nothing for local files */ }

  const show = () => {
    const only = document.getElementById('only').checked;
    for (const card of cards) {
      const chosen = favorites.has(card.dataset.number);
      card.classList.toggle('favorite', chosen);
      card.querySelector('.star').setAttribute('aria-pressed', String(chosen));
      card.hidden = only && !chosen;
    }
    document.getElementById('count').textContent = favorites.size;
    document.getElementById('what').textContent = favorites.size ? 'the favorites' : 'all designs';
  };

  main.addEventListener('click', (event) => {
    const star = event.target.closest('.star');
    if (!star) return;
    const number = star.closest('article').dataset.number;
    if (!favorites.delete(number)) favorites.add(number);
    try {
      localStorage.setItem(key, JSON.stringify([...favorites]));
    } catch (error) { /* not kept */ }
    show();
  });

  document.getElementById('only').addEventListener('change', show);
  document.getElementById('sort').addEventListener('change', (event) => {
    const by = event.target.value;
    const sign = by === 'number' ? 1 : -1;
    cards.sort((a, b) => sign * (a.dataset[by] - b.dataset[by]) || a.dataset.number - b.dataset.number);
    main.append(...cards);
  });

  const exported = () => cards.filter((card) => !favorites.size || favorites.has(card.dataset.number));
  const save = (blob, name) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  document.getElementById('json').addEventListener('click', () => {
    const numbers = new Set(exported().map((card) => Number(card.dataset.number)));
    const chosen = { ...data, designs: data.designs.filter((design) => numbers.has(design.number)) };
    save(new Blob([JSON.stringify(chosen, null, 1)], { type: 'application/json' }), 'designs.json');
  });

  document.getElementById('png').addEventListener('click', () => {
    const pictures = exported().map((card) => card.querySelector('.design'));
    const side = pictures[0].naturalWidth;
    const columns = Math.min(8, pictures.length);
    const canvas = document.createElement('canvas');
    canvas.width = columns * side;
    canvas.height = Math.ceil(pictures.length / columns) * side;
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pictures.forEach((picture, index) => {
      pen.drawImage(picture, (index % columns) * side, Math.floor(index / columns) * side);
    });
    canvas.toBlob((blob) => save(blob, 'designs.png'), 'image/png');
  });

  show();
})();
