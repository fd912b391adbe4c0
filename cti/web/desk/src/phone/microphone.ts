// The sound we send: the microphone, or silence when there is none.

export type Sound = 'microphone' | 'none' | 'denied' | 'insecure'

export interface Sending {
  stream: MediaStream
  sound: Sound
  close: () => void
}

export async function openMicrophone(audio: AudioContext): Promise<Sending> {
  if (!navigator.mediaDevices) return silence(audio, 'insecure')
  try {
    const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted })
    return { stream, sound: 'microphone', close: () => stop(stream) }
  } catch (error) {
    const denied = error instanceof DOMException && error.name === 'NotAllowedError'
    return silence(audio, denied ? 'denied' : 'none')
  }
}

function silence(audio: AudioContext, sound: Sound): Sending {
  const source = audio.createConstantSource()
  const quiet = audio.createGain()
  quiet.gain.value = 0
  const target = audio.createMediaStreamDestination()
  source.connect(quiet).connect(target)
  source.start()
  const close = (): void => {
    source.stop()
    stop(target.stream)
  }
  return { stream: target.stream, sound, close }
}

function stop(stream: MediaStream): void {
  stream.getTracks().forEach((track) => track.stop())
}
