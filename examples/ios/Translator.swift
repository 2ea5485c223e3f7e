import CoreGraphics
import Foundation
import TensorFlowLite

private let signature = "serving_default"
private let source = "source"
private let generated = "generated"
private let channels = 3

/// Translates pictures by an exported file in the app's bundle; for one thread at a time, and not the main one.
final class Translator {
    private let runner: SignatureRunner
    private let height: Int
    private let width: Int

    /// `path`: such as `Bundle.main.path(forResource: "facades", ofType: "tflite")!`
    init(path: String, threads: Int = 2, delegates: [Delegate] = []) throws {
        var options = Interpreter.Options()
        options.threadCount = threads
        let interpreter = try Interpreter(modelPath: path, options: options, delegates: delegates)
        runner = try interpreter.signatureRunner(with: signature)
        // (1, height, width, 3), of one byte each.
        let shape = try runner.input(named: source).shape.dimensions
        height = shape[1]
        width = shape[2]
    }

    /// A picture of any size in, one of the file's size out. Pass `smooth: false` for label maps.
    func translate(_ picture: CGImage, smooth: Bool = true) throws -> CGImage? {
        guard let canvas = makeCanvas() else { return nil }
        canvas.interpolationQuality = smooth ? .high : .none
        canvas.draw(picture, in: CGRect(x: 0, y: 0, width: width, height: height))
        guard let rgba = canvas.data?.assumingMemoryBound(to: UInt8.self) else { return nil }

        // Core Graphics has four bytes for a pixel, the file has three.
        var pixels = Data(count: height * width * channels)
        for pixel in 0..<(height * width) {
            for channel in 0..<channels { pixels[pixel * channels + channel] = rgba[pixel * 4 + channel] }
        }
        try runner.invoke(with: [source: pixels])
        let answer = try runner.output(named: generated).data
        for pixel in 0..<(height * width) {
            for channel in 0..<channels { rgba[pixel * 4 + channel] = answer[pixel * channels + channel] }
        }
        return canvas.makeImage()
    }

    private func makeCanvas() -> CGContext? {
        CGContext(
            data: nil, width: width, height: height, bitsPerComponent: 8, bytesPerRow: 4 * width,
            space: CGColorSpaceCreateDeviceRGB(), bitmapInfo: CGImageAlphaInfo.noneSkipLast.rawValue)
    }
}
