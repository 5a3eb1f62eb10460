import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../src/fhir/types.ts';
import { noteRule } from '../../src/outbound/note.ts';
import { expectGolden } from './golden.ts';
import { call, questionnaire, response } from './resources.ts';
import { doctor, scene, text } from './support.ts';

const known = scene({}, [doctor, questionnaire, response()]);
const told = (now: Json, about = known): string => text(noteRule.tell(undefined, now, about));

/** The lines of the note: OBX-5 of each OBX. */
function lines(message: string): string[] {
  return message.split('\n').flatMap((line) => /^OBX\|\d+\|TX\|[^|]*\|\d+\|([^|]*)\|/.exec(line)?.[1] ?? []);
}

describe('the note of a call', () => {
  test('with its checklist', () => {
    expectGolden('mdm-t02', told(call()));
  });

  test('without one says what the Task says', () => {
    const task = call({ output: undefined, businessStatus: { text: '未接通' }, statusReason: { text: '空号' } });
    expect(lines(told(task))).toEqual(['一级随访电话', '2026-03-19 10:25 李敏', '未接通', '空号', '家属代答。']);
  });

  test('shows no item that is hidden from people', () => {
    expect(told(call())).not.toContain('fu-general\n');
    expect(lines(told(call())).join()).not.toContain('方案');
  });

  test('in English joins with commas and says yes', () => {
    const asked = { ...questionnaire, language: 'en' };
    const note = lines(told(call(), scene({}, [doctor, asked, response()])));
    expect(note).toContain('取药: yes');
    expect(note).toContain('症状: 发热, 皮疹');
  });

  test('has long text in repetitions, never cut inside a character', () => {
    const note = `${'一'.repeat(199)}𠀀${'二'.repeat(10)}\n第二段`;
    const [line] = lines(told(call({ output: undefined, note: [{ text: note }] }))).slice(-1);
    expect(line).toBe(`${'一'.repeat(199)}𠀀~${'二'.repeat(10)}~第二段`);
  });

  test('by the centre names the centre and no person', () => {
    const centre = { resourceType: 'Organization', id: 'c', name: '随访中心' };
    const task = call({ owner: { reference: 'Organization/c' }, output: undefined });
    const message = told(task, scene({}, [centre]));
    expect(lines(message)[1]).toBe('2026-03-19 10:25 随访中心');
    expect(message).toContain('\nTXA|1|PR|TX|20260319102500+0800||20260319102500+0800||||||e1');
  });

  test('is sent once', () => {
    expect(noteRule.tell(call(), call({ note: [{ text: 'more' }] }), known)).toBeUndefined();
    expect(noteRule.tell(call(), undefined, known)).toBeUndefined();
  });
});

describe('a Task', () => {
  const channel = (...codes: string[]): Json => ({
    input: codes.map((valueCode) => ({ type: { text: 'channel' }, valueCode })),
  });

  test.each<[string, Json, boolean]>([
    ['that is a call', call(), true],
    ['that is a home visit', call(channel('home')), true],
    ['that is not done', call({ status: 'in-progress' }), false],
    ['that has failed', call({ status: 'failed' }), false],
    ['that is a greeting by SMS', call(channel('sms', 'wechat')), false],
    ['that is a survey, by link or telephone', call(channel('link', 'phone')), false],
    ['without a visit', call({ encounter: undefined }), false],
    ['without a channel', call({ input: undefined }), false],
  ])('%s: a note is %#', (_, task, isNote) => {
    expect(noteRule.concerns(task)).toBe(isNote);
  });
});
